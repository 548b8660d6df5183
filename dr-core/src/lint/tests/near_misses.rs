//! Cases that lie right beside what a rule forbids: at its limit, about something else, or known only in part.

use std::time::Duration;

use crate::{
    lint::fixtures::case::*,
    plan::{
        AnsweredBy, ApiRateFact, BackupFact, Call, CertificateFact, CheckProtocol, Estimate, GoalKind, HealthCheckFact,
        LagSource, Phase, ProtectedRecord, VolumeCopy, WorkloadOwner, ZoneFact,
    },
    step::Reversibility,
    validation::Severity,
};

/// Whether a rule says that something is broken.
fn breaks(case: &Case, rule: &str) -> bool {
    case.broken().iter().any(|found| found.starts_with(rule))
}

/// How grave what a rule says is, and its words.
fn told(case: &Case, rule: &str) -> Option<(Severity, String)> {
    let found = case.report().findings.into_iter().find(|finding| finding.check.starts_with(rule));
    found.map(|finding| (finding.severity, finding.message))
}

/// The standby's workload under an autoscaler that allows one to three of the four replicas.
fn autoscaled() -> Case {
    let mut case = Case::new();
    case.facts.workloads[0].owner = WorkloadOwner::Hpa { name: "orders".to_owned(), min: 1, max: 3 };
    case
}

#[test]
fn w27_is_about_what_scales_up_and_neither_about_looking_nor_about_putting_back() {
    assert!(breaks(&autoscaled(), "W27"));
    assert!(!breaks(&autoscaled().step("apps/scale", |step| step.calls[0].mutates = false), "W27"));
    let mut case = autoscaled();
    case.drop("apps/scale");
    let back = control("k8s:patch deployments/scale", WEST);
    case.add("apps/restore", "apps/ready", Phase::Restore, &["dns/latch"], vec![back]);
    assert!(!breaks(&case, "W27"));
}

#[test]
fn w28_only_an_autoscaler_with_a_lower_bound_over_a_workload_that_is_wanted_sleeps() {
    let sleeps = |min: u32, replicas: u32, wanted: u32| {
        let mut case = autoscaled();
        case.find("apps/scale").calls.clear();
        let workload = &mut case.facts.workloads[0];
        workload.owner = WorkloadOwner::ScaledObject { name: "orders".to_owned(), min, max: 8 };
        (workload.replicas, workload.wanted) = (replicas, wanted);
        breaks(&case, "W28")
    };
    assert!(sleeps(1, 0, 4));
    assert!(!sleeps(1, 1, 4), "it is awake");
    assert!(!sleeps(0, 0, 4), "nothing says that there should be one");
    assert!(!sleeps(1, 0, 0), "nobody needs it");
}

/// A plan whose steps of this name look at Route 53 so many times, each step a second after the one before.
fn looking(counts: &[usize], apart: Duration) -> Case {
    let mut case = Case::new();
    case.graceful(GoalKind::Switchover);
    let mut before = "dns/await".to_owned();
    for (n, count) in counts.iter().enumerate() {
        let id = format!("dns/look-{n}");
        let calls = vec![look("route53:ListResourceRecordSets", EAST); *count];
        case.add(&id, "dns/confirm", Phase::Confirm, &[&before], calls);
        case.find(&id).estimate = Estimate { p50: apart, ..Estimate::default() };
        before = id;
    }
    case
}

#[test]
fn w35_counts_a_second_that_ends_before_the_next_one_begins() {
    let second = Duration::from_secs(1);
    assert!(!breaks(&looking(&[5], second), "W35"));
    assert!(breaks(&looking(&[6], second), "W35"));
    assert!(breaks(&looking(&[3, 3], Duration::from_millis(999)), "W35"));
    assert!(!breaks(&looking(&[3, 3], second), "W35"), "the fourth call begins with the next second");
}

#[test]
fn w35_tells_the_fullest_second_wherever_it_is() {
    let message = |counts: &[usize]| told(&looking(counts, Duration::from_secs(1)), "W35").unwrap().1;
    for counts in [[6, 2, 1], [2, 6, 1], [1, 2, 6]] {
        let message = message(&counts);
        assert!(message.starts_with("6 calls of Route 53's API begin within a second"), "{counts:?}: {message}");
    }
    let twice = looking(&[6, 6], Duration::from_secs(1));
    assert!(twice.broken().contains(&"W35 dns/look-0".to_owned()), "of two the first: {:?}", twice.broken());
}

#[test]
fn w35_others_may_take_what_the_plan_leaves_and_only_of_the_same_service() {
    let beside = |service: &str, others: f64| {
        let mut case = looking(&[3], Duration::from_secs(1));
        case.facts.api_rates = vec![ApiRateFact { service: service.to_owned(), per_second: others }];
        breaks(&case, "W35")
    };
    assert!(!beside("route53", 2.0));
    assert!(beside("route53", 2.5));
    assert!(!beside("rds", 2.5));
}

#[test]
fn e02_a_private_zone_has_no_accelerated_recovery_and_another_zone_may() {
    let severity = |public: Option<bool>, recovery: Option<&str>| {
        let mut case = Case::new();
        case.objectives.rto = Duration::from_secs(7200);
        let change = control("route53:ChangeResourceRecordSets", EAST).arg("HostedZoneId", "Z1");
        case.find("dns/shift").calls = vec![change];
        let accelerated_recovery = recovery.map(str::to_owned);
        case.facts.zones =
            vec![ZoneFact { id: "Z1".to_owned(), public, accelerated_recovery, protected: Some(vec![]) }];
        told(&case, "E02").map(|(severity, _)| severity)
    };
    assert_eq!(severity(Some(true), Some("ENABLED")), Some(Severity::Warning));
    assert_eq!(severity(None, Some("ENABLED")), Some(Severity::Warning));
    assert_eq!(severity(Some(false), Some("ENABLED")), Some(Severity::Error));
    assert_eq!(severity(Some(true), Some("DISABLED")), Some(Severity::Error));
    assert_eq!(severity(Some(true), None), Some(Severity::Error));
}

#[test]
fn e14_what_keeps_a_detached_primary_shut_is_a_fence_or_a_latch_that_does_something() {
    let guarded = |phase: Phase, reversibility: Reversibility| {
        let detach = control("rds:RemoveFromGlobalCluster", WEST).arg("DbClusterIdentifier", NEW_ARN);
        let mut case = Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), detach]);
        case.add("db/after", "db/promote", phase, &["db/promote"], vec![look("app:Look", WITNESS)]);
        case.find("db/after").reversibility = reversibility;
        !breaks(&case, "E14")
    };
    assert!(guarded(Phase::Fence, Reversibility::Reversible));
    assert!(guarded(Phase::Latch, Reversibility::Irreversible));
    assert!(!guarded(Phase::Latch, Reversibility::ReadOnly), "a look shuts nothing");
    assert!(!guarded(Phase::Confirm, Reversibility::Reversible), "a step of another phase is about something else");
}

#[test]
fn e12_asks_once_for_each_store_that_something_promotes() {
    let told = |change: fn(&mut Case)| {
        let mut case = Case::new();
        case.member("db", WEST).available_instances = Some(0);
        change(&mut case);
        case.broken().into_iter().filter(|found| found.starts_with("E12")).collect::<Vec<_>>()
    };
    assert_eq!(told(|_| {}), ["E12 db/promote"]);
    assert_eq!(
        told(|case| {
            case.add("db/again", "db/promote", Phase::Promote, &["db/promote"], vec![failover_call()]);
        }),
        ["E12 db/promote"]
    );
    assert_eq!(told(|case| case.find("db/promote").calls.retain(|call| !call.mutates)), [""; 0], "it only looks");
    assert_eq!(told(|case| case.find("db/promote").calls.clear()), ["E12 db/promote"], "it may do anything");
}

#[test]
fn e14_a_step_of_another_phase_guards_by_what_it_calls() {
    let guarded = |call: Call| {
        let detach = control("rds:RemoveFromGlobalCluster", WEST).arg("DbClusterIdentifier", NEW_ARN);
        let mut case = Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), detach]);
        case.add("db/after", "db/promote", Phase::Confirm, &["db/promote"], vec![call]);
        !breaks(&case, "E14")
    };
    assert!(guarded(control("rds:StopDBCluster", EAST)));
    assert!(!guarded(look("rds:StopDBCluster", EAST)), "what changes nothing stops nobody");
    assert!(!guarded(control("rds:AddTagsToResource", EAST)), "what changes something else neither");
}

#[test]
fn e15_a_restore_that_leaves_services_and_ingresses_out_makes_no_name() {
    let broken = |list: &str, kinds: &[&str]| {
        let restore = control("k8s:create restores", WEST).arg("backupName", "nightly").arg(list, kinds.to_vec());
        let mut case = Case::new();
        case.facts.backups = vec![BackupFact {
            load_balancers: Some(true),
            ..BackupFact::new(resource("apps"), "nightly", region(EAST))
        }];
        case.find("apps/scale").calls.push(restore);
        breaks(&case, "E15")
    };
    assert!(broken("includedResources", &[]), "everything is brought back");
    assert!(broken("includedResources", &["deployments", "services"]));
    assert!(!broken("includedResources", &["deployments", "persistentvolumeclaims"]));
    assert!(!broken("excludedResources", &["services", "ingresses.networking.k8s.io", "events"]));
    assert!(broken("excludedResources", &["services", "events"]), "an ingress makes a name too");
    assert!(broken("excludedResources", &["ingresses", "events"]), "and so does a service");
}

#[test]
fn e15_a_restore_names_its_backup_by_name_or_by_schedule() {
    let broken = |argument: &str, name: &str| {
        let restore = control("k8s:create restores", WEST).arg(argument, name);
        let mut case = Case::new();
        case.facts.backups = [("nightly", "shop-20261231", true), ("weekly", "all-20261227", false)]
            .map(|(schedule, name, load_balancers)| BackupFact {
                schedule: Some(schedule.to_owned()),
                load_balancers: Some(load_balancers),
                ..BackupFact::new(resource("apps"), name, region(EAST))
            })
            .to_vec();
        case.find("apps/scale").calls.push(restore);
        breaks(&case, "E15")
    };
    assert!(broken("scheduleName", "nightly") && broken("backupName", "shop-20261231"));
    assert!(!broken("scheduleName", "weekly") && !broken("backupName", "all-20261227"));
}

#[test]
fn e25_snapshots_serve_the_region_in_which_they_were_taken() {
    let broken = |taken: &str, volumes: VolumeCopy| {
        let restore = control("k8s:create restores", WEST).arg("backupName", "nightly").arg("restorePVs", true);
        let mut case = Case::new();
        let backup = BackupFact::new(resource("apps"), "nightly", region(taken));
        case.facts.backups = vec![BackupFact { volumes: Some(volumes), ..backup }];
        case.find("apps/scale").calls.push(restore);
        case.broken().iter().any(|found| found == "E25 apps/scale")
    };
    assert!(broken(EAST, VolumeCopy::Snapshots));
    assert!(!broken(WEST, VolumeCopy::Snapshots));
    assert!(!broken(EAST, VolumeCopy::Files));
}

#[test]
fn e17_says_what_is_read_where_nothing_names_it() {
    let message = |operation: &str| {
        let read = look(operation, EAST);
        told(&Case::new().step("apps/ready", |step| step.calls.push(read)), "E17").map(|(_, message)| message)
    };
    for (operation, what) in
        [("secretsmanager:GetSecretValue", "secret"), ("s3:GetObject", "object"), ("kms:Decrypt", "key")]
    {
        assert_eq!(message(operation), Some(format!("{operation} reads a {what} whose home is us-east-1")));
    }
}

#[test]
fn e17_an_image_is_where_its_registry_is() {
    let broken = |image: &str| {
        let set = control("k8s:patch deployments", WEST).arg("image", image);
        breaks(&Case::new().step("apps/ready", |step| step.calls.push(set)), "E17")
    };
    assert!(broken("111122223333.dkr.ecr.us-east-1.amazonaws.com/orders:1"));
    assert!(!broken("111122223333.dkr.ecr.eu-west-1.amazonaws.com/orders:1"));
    assert!(!broken("registry.example.com/us-east-1/orders:1"));
}

#[test]
fn e09_names_the_endpoints_that_a_promotion_goes_to() {
    let message = |endpoints: &[&str]| {
        let mut call = failover_call();
        call.endpoints = endpoints.iter().map(|name| region(name)).collect();
        let case = Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), call]);
        told(&case, "E09").map(|(_, message)| message)
    };
    let goes_to = |to: &str| Some(format!("rds:FailoverGlobalCluster goes to {to}, and is served by eu-west-1 alone"));
    assert_eq!(message(&[WEST]), None);
    assert_eq!(message(&[EAST]), goes_to("us-east-1"));
    assert_eq!(message(&[WEST, EAST]), goes_to("eu-west-1, us-east-1"));
    assert_eq!(message(&[]), goes_to("no endpoint"));
}

#[test]
fn w33_asks_for_the_lag_of_what_has_to_be_written_and_is_not_yet() {
    let said = |required: bool, writer: bool, source: Option<LagSource>| {
        let mut case = Case::new();
        case.facts.stores[0].writable_required = required;
        let member = case.member("db", WEST);
        (member.writer, member.lag_source) = (Some(writer), source);
        breaks(&case, "W33") || case.unjudged().contains(&"W33 db".to_owned())
    };
    for source in [None, Some(LagSource::Missing)] {
        assert!(said(true, false, source));
        assert!(!said(false, false, source), "nobody writes to it");
        assert!(!said(true, true, source), "the writer is behind nobody");
    }
}

#[test]
fn w33_a_sample_may_be_two_periods_old() {
    let stale = |age: Option<u64>| {
        let mut case = Case::new();
        let age = age.map(Duration::from_secs);
        case.member("db", WEST).lag_source = Some(LagSource::Sampled { period: Duration::from_secs(60), age });
        breaks(&case, "W33")
    };
    assert!(!stale(Some(120)));
    assert!(stale(Some(121)) && stale(None));
}

#[test]
fn w30_that_nobody_is_known_to_look_at_a_certificate_matters_where_checks_take_any() {
    let unjudged = |protocol: CheckProtocol| {
        let mut case = Case::new();
        case.facts.health_checks = vec![HealthCheckFact {
            matches_text: Some(true),
            redirects: Some(false),
            answered_by: Some(AnsweredBy::Region { region: region(EAST) }),
            ..HealthCheckFact::new("check-1", region(EAST), protocol)
        }];
        let certificate = |name| CertificateFact {
            region: region(name),
            names: Some(vec!["api.example.com".to_owned()]),
            valid_until: Some(TODAY.saturating_add(jiff::Span::new().days(30))),
            probed: None,
        };
        case.facts.certificates = [EAST, WEST].map(certificate).to_vec();
        assert_eq!(case.broken(), [""; 0]);
        case.unjudged()
    };
    assert_eq!(unjudged(CheckProtocol::Https), ["W30 us-east-1", "W30 eu-west-1"]);
    assert_eq!(unjudged(CheckProtocol::Http), [""; 0]);
}

#[test]
fn e19_says_whether_targets_are_missing_or_ill() {
    let message = |registered: Option<u32>, healthy: Option<u32>| {
        let mut case = Case::new();
        let group = &mut case.facts.load_balancers[1].target_groups[0];
        (group.registered, group.healthy) = (registered, healthy);
        told(&case, "E19").map(|(_, message)| message)
    };
    let why = |what: &str| {
        Some(format!(
            "api.example.com would not be answered with eu-west-1: target group orders of front-eu-west-1 has no {what} \
             target"
        ))
    };
    assert_eq!(message(Some(1), Some(1)), None);
    assert_eq!(message(Some(0), Some(0)), why("registered"));
    assert_eq!(message(Some(2), Some(0)), why("healthy"));
    assert_eq!(message(None, Some(0)), why("healthy"));
}

#[test]
fn e21_a_change_that_names_no_record_is_of_its_own_steps_name() {
    let broken = |change: Call, about: &str| {
        let mut case = Case::new();
        case.graceful(GoalKind::Switchover);
        let mut other = case.facts.traffic[0].clone();
        (other.resource, other.name) = (resource("shop"), "shop.example.com".to_owned());
        case.facts.traffic.push(other);
        let name = "shop.example.com".to_owned();
        let protected = Some(vec![ProtectedRecord { name, record_type: "A".to_owned() }]);
        case.facts.zones = vec![ZoneFact { id: "Z1".to_owned(), protected, ..ZoneFact::default() }];
        let step = case.find("dns/shift");
        (step.calls, step.resource) = (vec![change], Some(resource(about)));
        breaks(&case, "E21")
    };
    let change = control("route53:ChangeResourceRecordSets", EAST);
    assert!(broken(change.clone(), "shop"));
    assert!(!broken(change.clone(), "dns"), "api.example.com is free");
    assert!(broken(change.clone().arg("Name", "SHOP.example.com."), "dns"));
    assert!(!broken(change.clone().arg("Type", "AAAA"), "shop"));
    assert!(broken(change.arg("Type", "a"), "shop"));
}

#[test]
fn e20_a_check_that_polls_the_name_matters_to_the_records_that_use_it() {
    let message = |used: &str| {
        let mut case = Case::new();
        for (record, check) in case.traffic().records.iter_mut().zip([used, "check-2"]) {
            (record.check, record.check_healthy) = (Some(check.to_owned()), Some(true));
        }
        let polls = |id: &str, name: &str| HealthCheckFact {
            fqdn: Some(name.to_owned()),
            ..HealthCheckFact::new(id, region(EAST), CheckProtocol::Http)
        };
        case.facts.health_checks = vec![polls("check-1", "API.example.com."), polls("check-2", "west.example.com")];
        case.report().findings.into_iter().map(|finding| finding.message).find(|said| said.contains("the very name"))
    };
    assert!(message("check-1").is_some_and(|said| said.starts_with("check-1 polls API.example.com.")));
    assert_eq!(message("check-2"), None, "nobody asks check-1");
}
