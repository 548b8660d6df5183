//! What each fact changes in the judgement: from a plan of which everything is known, every fact and every field of a step is
//! changed in turn, and whatever the rules then say otherwise is written down (snapshots/, one for each sort of plan).
//!
//! A rule that asks one thing less, or the opposite, changes a line.

use std::{collections::BTreeSet, fmt::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::{
    lint::fixtures::case::*,
    plan::{
        AccessFact, AnsweredBy, ApiRateFact, BackupFact, BehaviourFact, BucketFact, CertificateFact, CheckProtocol,
        ClusterFact, DependencyFact, DependencyKind, DistributionFact, Gate, GoalKind, HealthCheckFact, ImageFact,
        Inventory, ListenerFact, LossBound, Phase, ProtectedRecord, RpoParameter, TlsVersion, VolumeCopy,
        WorkloadOwner, ZoneFact,
    },
};

/// A plan with a restore, an autoscaler and records of Route 53, of which everything is known.
fn known() -> Case {
    let mut case = Case::new();
    let restore = control("k8s:create restores", WEST).arg("backupName", "nightly").arg("restorePVs", true);
    case.add("apps/restore", "apps/scale", Phase::Scale, &[], vec![restore]);
    let bounds = control("k8s:patch horizontalpodautoscalers", WEST).arg("minReplicas", 4).arg("maxReplicas", 4);
    case.find("apps/scale").calls.insert(0, bounds);
    let secret = look("secretsmanager:GetSecretValue", WEST).arg("Endpoint", "secretsmanager.eu-west-1.amazonaws.com");
    case.find("apps/ready").calls.push(secret);
    let names = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let facts = &mut case.facts;
    facts.workloads[0].owner = WorkloadOwner::Hpa { name: "orders".to_owned(), min: 1, max: 3 };
    facts.capacity[0].free = Some(3);
    for balancer in &mut facts.load_balancers {
        let listener = ListenerFact { port: 443, policy: "tls".to_owned(), oldest: Some(TlsVersion::V1_2) };
        balancer.listeners.push(listener);
    }
    for (at, id, judges) in [(0, "check-east", EAST), (1, "check-west", WEST)] {
        let record = &mut facts.traffic[0].records[at];
        (record.check, record.check_healthy) = (Some(id.to_owned()), Some(true));
        facts.health_checks.push(HealthCheckFact {
            fqdn: Some(format!("api-{judges}.example.com")),
            resolves_through: vec![format!("front-{judges}.example.com")],
            matches_text: Some(true),
            redirects: Some(false),
            answered_by: Some(AnsweredBy::Region { region: region(judges) }),
            inverted: Some(false),
            ..HealthCheckFact::new(id, region(judges), CheckProtocol::Https)
        });
    }
    facts.traffic[0].switched_by = vec!["s3:PutObject".to_owned()];
    facts.traffic[0].secondary_eligible = Some(true);
    facts.traffic[0].publication = Some(Duration::from_secs(20));
    for name in [EAST, WEST] {
        facts.certificates.push(CertificateFact {
            region: region(name),
            names: names(&["api.example.com"]),
            valid_until: Some(TODAY.saturating_add(jiff::Span::new().days(30))),
            probed: Some(true),
        });
        facts.clusters.push(ClusterFact { region: region(name), kubernetes_minor: Some(33) });
        facts.buckets.push(BucketFact {
            resource: resource("db"),
            name: format!("orders-{name}"),
            region: region(name),
            written: true,
            replicates: Some(true),
            metrics: Some(true),
            time_control: Some(false),
        });
    }
    facts.distributions.push(DistributionFact {
        id: "E1EXAMPLE".to_owned(),
        behaviours: vec![BehaviourFact {
            path: "/orders".to_owned(),
            methods: vec!["GET".to_owned(), "HEAD".to_owned()],
            origin_group: Some("regions".to_owned()),
        }],
    });
    facts.zones.push(ZoneFact {
        id: "Z1".to_owned(),
        protected: Some(vec![ProtectedRecord { name: "www.example.com".to_owned(), record_type: "A".to_owned() }]),
        ..ZoneFact::default()
    });
    facts.backups.push(BackupFact {
        schedule: Some("nightly".to_owned()),
        location: Some(region(WEST)),
        read_only: Some(true),
        phase: Some("Completed".to_owned()),
        volumes: Some(VolumeCopy::Files),
        load_balancers: Some(false),
        interval: Some(Duration::from_secs(30)),
        duration: Some(Duration::from_secs(30)),
        ..BackupFact::new(resource("apps"), "nightly", region(EAST))
    });
    facts.images.push(ImageFact {
        workload: "production/orders".to_owned(),
        region: region(WEST),
        reference: "registry.example.com/orders:1".to_owned(),
        digest: Some("sha256:6c3c624b58db".to_owned()),
        home: Some(region(WITNESS)),
        copies: [(region(WEST), true)].into(),
    });
    facts.dependencies.push(DependencyFact {
        kind: DependencyKind::Secret,
        name: "payments/key".to_owned(),
        step: None,
        home: Some(region(EAST)),
        copies: vec![region(WEST)],
    });
    facts.api_rates.push(ApiRateFact { service: "route53".to_owned(), per_second: 5.0 });
    facts.access.push(AccessFact {
        who: "on-call".to_owned(),
        single_sign_on_only: Some(false),
        token_endpoint: Some("sts.eu-west-1.amazonaws.com".to_owned()),
    });
    facts.stores[0].loss_bound = Some(LossBound { within: Duration::from_secs(60), source: "measured".to_owned() });
    case.member("db", EAST).rpo_parameter = Some(RpoParameter::Set { within: Duration::from_secs(20) });
    case.member("db", WEST).rpo_parameter = Some(RpoParameter::Default);
    case
}

/// What the rules say, with how grave it is.
fn said(case: &Case) -> BTreeSet<String> {
    let grave = |finding: &crate::validation::Finding| {
        let number = finding.check.split(' ').next().unwrap_or_default().to_owned();
        format!("{number} {} ({:?})", finding.subject, finding.severity)
    };
    case.report().findings.iter().map(grave).collect()
}

/// Other values for a leaf, each with how it is called.
fn others(leaf: &Value) -> Vec<Value> {
    match leaf {
        Value::Bool(is) => vec![json!(!is), Value::Null],
        Value::Number(n) if n.is_u64() => {
            let n = n.as_u64().unwrap();
            let mut values = vec![json!(n + 1), Value::Null];
            values.extend(n.checked_sub(1).map(|less| json!(less)));
            values
        }
        Value::Number(_) => vec![json!(0.5)],
        Value::String(text) if [EAST, WEST, WITNESS].contains(&text.as_str()) => {
            let mut values: Vec<Value> =
                [EAST, WEST, WITNESS].iter().filter(|name| *name != text).map(|name| json!(name)).collect();
            values.push(Value::Null);
            values
        }
        Value::String(_) => vec![json!("other"), Value::Null],
        Value::Null => Vec::new(),
        Value::Array(_) | Value::Object(_) => vec![json!([])],
    }
}

/// The pointers of everything within a value.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                pointers(value, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        Value::Array(items) if !items.is_empty() => {
            into.push(at.to_owned());
            items.iter().enumerate().for_each(|(n, item)| pointers(item, &format!("{at}/{n}"), into));
        }
        _ => into.push(at.to_owned()),
    }
}

/// Changes one place after another, and tells what the rules then say otherwise.
fn told(case: &mut Case, what: &str, stored: &Value, set: impl Fn(&mut Case, Value) -> bool) -> String {
    let before = said(case);
    let mut out = String::new();
    let mut places = Vec::new();
    pointers(stored, "", &mut places);
    for place in places {
        for other in others(stored.pointer(&place).unwrap()) {
            let mut changed = stored.clone();
            *changed.pointer_mut(&place).unwrap() = other.clone();
            // What is no inventory, or no plan, any more is another's concern.
            if !set(case, changed) {
                continue;
            }
            let after = said(case);
            let (more, less): (Vec<_>, Vec<_>) =
                (after.difference(&before).collect(), before.difference(&after).collect());
            if !more.is_empty() || !less.is_empty() {
                let _ = write!(out, "{what}{place} = {other}:");
                more.iter().for_each(|found| out.push_str(&format!(" +{found}")));
                less.iter().for_each(|found| out.push_str(&format!(" -{found}")));
                out.push('\n');
            }
        }
    }
    assert!(set(case, stored.clone()) && said(case) == before, "everything is as it was");
    out
}

/// Everything that one change of a fact, or of a step, makes the rules say.
fn sensitivity(mut case: Case) -> String {
    let mut out = format!("As it is: {:?}\n", said(&case));
    let facts = serde_json::to_value(&case.facts).unwrap();
    out += &told(&mut case, "facts", &facts, |case, facts| match serde_json::from_value::<Inventory>(facts) {
        Ok(facts) => {
            case.facts = facts;
            true
        }
        Err(_) => false,
    });
    for at in 0..case.steps.len() {
        let mut step = serde_json::to_value(&case.steps[at]).unwrap();
        // A step of another name is another step.
        let id = step.as_object_mut().unwrap().remove("id").unwrap();
        let what = id.as_str().unwrap().to_owned();
        out += &told(&mut case, &what, &step, |case, mut step| {
            step["id"] = id.clone();
            let Ok(step) = serde_json::from_value(step) else { return false };
            case.steps[at] = step;
            serde_json::to_value(&case.steps).is_ok() && case.is_plan()
        });
    }
    out
}

#[test]
fn a_failover_away_from_a_region_that_is_gone() {
    insta::assert_snapshot!(sensitivity(known()));
}

#[test]
fn a_failback_between_two_regions_that_are_well() {
    let mut case = known();
    case.graceful(GoalKind::Failback);
    case.find("dns/shift").gate = Some(Gate::new("go back?"));
    let record = control("route53:ChangeResourceRecordSets", EAST).arg("HostedZoneId", "Z1");
    case.find("dns/shift").calls = vec![record.arg("Name", "api.example.com").arg("Type", "A")];
    let switchover = control("rds:SwitchoverGlobalCluster", EAST).arg("TargetDbClusterIdentifier", NEW_ARN);
    case.find("db/promote").calls = vec![look("rds:DescribeGlobalClusters", WEST), switchover];
    insta::assert_snapshot!(sensitivity(case));
}
