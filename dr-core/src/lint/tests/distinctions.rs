//! Distinctions that a rule makes and that no other test would miss: each was found by changing the rule.

use std::time::Duration;

use crate::{
    lint::fixtures::case::*,
    plan::{
        AccessFact, AnsweredBy, ApiRateFact, Call, CertificateFact, CheckFact, CheckProtocol, Gate, GoalKind,
        HealthCheckFact, ListenerFact, Phase, TlsVersion, WorkloadOwner,
    },
    step::Reversibility,
    validation::Severity,
};

/// A call that keeps the old region's check unhealthy, but for what is changed.
fn off() -> Call {
    control("route53:UpdateHealthCheck", WITNESS).arg("Disabled", true).arg("Inverted", true)
}

#[test]
fn e08_a_fence_that_changes_nothing_stops_nobody() {
    let unfenced = |reversibility| {
        let broken = Case::new().step("db/fence", move |step| step.reversibility = reversibility).broken();
        broken.contains(&"E08 db/promote".to_owned())
    };
    assert!(unfenced(Reversibility::ReadOnly));
    assert!(!unfenced(Reversibility::Reversible) && !unfenced(Reversibility::Irreversible));
}

#[test]
fn e07_a_later_step_that_forces_the_old_region_off_is_a_latch() {
    // The shift, then a step of this phase that makes this call; and no step of the latch phase.
    let held = |phase: Phase, call: Call| {
        let mut case = Case::new();
        case.drop("dns/latch");
        case.traffic().primary_check = CheckFact::Other { kind: "CALCULATED".to_owned() };
        case.add("dns/hold", "dns/confirm", phase, &["dns/confirm"], vec![call]);
        !case.broken().contains(&"E07 dns/shift".to_owned())
    };
    assert!(held(Phase::Confirm, off()));
    assert!(held(Phase::Latch, look("s3:GetObject", WEST)), "a latch is believed");
    assert!(!held(Phase::Confirm, off().arg("Disabled", false)));
    assert!(!held(Phase::Confirm, off().arg("Inverted", false)));
    let mut other = off();
    other.operation = "route53:GetHealthCheck".into();
    assert!(!held(Phase::Confirm, other), "only the call that changes the check");
    assert!(!held(Phase::Shift, off()), "what is done while traffic shifts is the shift");
    assert!(held(Phase::Confirm, data("route53-recovery-cluster:UpdateRoutingControlState", WEST)));
}

#[test]
fn e11_says_of_a_target_that_is_not_given_that_it_is_not() {
    let call = control("rds:FailoverGlobalCluster", WEST).arg("AllowDataLoss", true);
    let told = |call: Call| {
        let report =
            Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), call]).report();
        let found = report.findings.iter().find(|finding| finding.check.starts_with("E11"));
        found.map(|finding| finding.message.clone()).unwrap_or_default()
    };
    assert_eq!(told(call.clone()), "rds:FailoverGlobalCluster is called without TargetDbClusterIdentifier");
    let named = told(call.arg("TargetDbClusterIdentifier", "orders"));
    assert!(named.ends_with("is \"orders\", which is not the ARN of a cluster"), "{named}");
}

#[test]
fn e15_is_an_error_where_us_east_1_is_what_failed_and_a_warning_elsewhere() {
    let severity = |from: &str| {
        let mut case = Case::new();
        case.find("apps/scale").calls = vec![control("elasticloadbalancing:CreateLoadBalancer", WEST)];
        if from != EAST {
            case.goal.from = region(from);
        }
        let report = case.report();
        report.findings.iter().find(|finding| finding.check.starts_with("E15")).map(|finding| finding.severity)
    };
    assert_eq!(severity(EAST), Some(Severity::Error));
    assert_eq!(severity(WITNESS), Some(Severity::Warning));
}

#[test]
fn e23_a_store_of_no_known_kind_is_a_cache_by_its_driver() {
    let broken = |kind: &str| {
        let mut case = Case::new();
        case.drop("cache/promote");
        case.facts.stores[1].kind = None;
        case.spec["resources"][1]["kind"] = kind.into();
        case.broken().contains(&"E23 cache".to_owned())
    };
    assert!(broken("aws.elasticache_global"));
    assert!(!broken("test.thing"));
}

#[test]
fn w38_a_hold_down_as_long_as_the_window_is_long_enough() {
    let failback = |hold_down: &str, lag: u64| {
        let mut case = Case::new();
        case.graceful(GoalKind::Failback);
        case.find("dns/shift").gate = Some(Gate::new("go back?"));
        case.spec["detection"]["hold_down"] = hold_down.into();
        case.member("db", WEST).lag = Some(Duration::from_secs(lag));
        case.broken()
    };
    // Three looks, ten seconds apart, and a lag.
    assert_eq!(failback("30s", 0), [""; 0]);
    assert_eq!(failback("29s", 0), ["W38 plan"]);
    assert_eq!(failback("40s", 40), [""; 0]);
    assert_eq!(failback("40s", 41), ["W38 plan"]);
}

#[test]
fn e16_names_a_role_whose_token_comes_from_the_region_that_is_left() {
    let broken = |host: &str| {
        let mut case = Case::new();
        case.facts.access = vec![AccessFact {
            who: "office".to_owned(),
            single_sign_on_only: None,
            token_endpoint: Some(host.to_owned()),
        }];
        case.broken()
    };
    assert_eq!(broken("sts.us-east-1.amazonaws.com"), ["E16 office"]);
    assert_eq!(broken("sts.amazonaws.com"), ["E16 office"]);
    assert_eq!(broken("sts.eu-west-1.amazonaws.com"), [""; 0]);
}

#[test]
fn e19_a_record_whose_check_is_unhealthy_is_not_answered_with() {
    let judged = |check: Option<&str>, healthy: Option<bool>| {
        let mut case = Case::new();
        case.traffic().records[1].check = check.map(str::to_owned);
        case.traffic().records[1].check_healthy = healthy;
        (case.broken(), case.unjudged())
    };
    let fine = (Vec::<String>::new(), Vec::<String>::new());
    let no = (vec!["E19 dns/shift".to_owned()], Vec::<String>::new());
    let open = (Vec::<String>::new(), vec!["E19 dns/shift".to_owned()]);
    assert_eq!(judged(Some("check-2"), Some(false)), no);
    assert_eq!(judged(Some("check-2"), Some(true)), fine);
    assert_eq!(judged(Some("check-2"), None), open);
    assert_eq!(judged(None, None), fine);
    assert_eq!(judged(None, Some(false)), fine, "without a check there is nothing to be unhealthy");
}

#[test]
fn w27_is_an_error_only_where_the_upper_bound_is_in_the_way() {
    let severity = |min: u32, max: u32, raised: &[(&str, u32)]| {
        let mut case = Case::new();
        case.facts.workloads[0].owner = WorkloadOwner::Hpa { name: "orders".to_owned(), min, max };
        for (bound, to) in raised {
            let patch = control("k8s:patch horizontalpodautoscalers", WEST).arg(bound, *to);
            case.find("apps/scale").calls.insert(0, patch);
        }
        let found = case.report().findings.into_iter().find(|finding| finding.check.starts_with("W27"));
        found.map(|finding| finding.severity)
    };
    // Four are wanted.
    assert_eq!(severity(4, 4, &[]), None);
    assert_eq!(severity(3, 4, &[]), Some(Severity::Warning));
    assert_eq!(severity(1, 3, &[]), Some(Severity::Error));
    assert_eq!(severity(1, 2, &[]), Some(Severity::Error));
    assert_eq!(severity(1, 3, &[("maxReplicas", 3)]), Some(Severity::Error), "three are not enough");
    assert_eq!(severity(1, 3, &[("maxReplicas", 4)]), Some(Severity::Warning));
    assert_eq!(severity(1, 3, &[("maxReplicasAtLeast", 5)]), Some(Severity::Warning));
    assert_eq!(severity(1, 3, &[("maxReplicas", 4), ("minReplicas", 3)]), Some(Severity::Warning));
    assert_eq!(severity(1, 3, &[("maxReplicas", 4), ("minReplicas", 4)]), None);
}

#[test]
fn e16_names_a_token_service_without_a_region_wherever_it_is_called_from() {
    let broken = |host: &str| {
        let assume = look("sts:AssumeRole", WEST).arg("Endpoint", host);
        Case::new().step("apps/ready", move |step| step.calls.push(assume)).broken()
    };
    assert!(broken("sts.amazonaws.com").contains(&"E16 apps/ready".to_owned()));
    assert_eq!(broken("sts.eu-west-1.amazonaws.com"), [""; 0]);
}

#[test]
fn w30_asks_who_looks_at_a_certificate_only_where_checks_take_any() {
    let told = |protocol: CheckProtocol| {
        let mut case = Case::new();
        case.facts.health_checks = vec![HealthCheckFact {
            matches_text: Some(true),
            redirects: Some(false),
            answered_by: Some(AnsweredBy::Region { region: region(EAST) }),
            ..HealthCheckFact::new("check-1", region(EAST), protocol)
        }];
        case.facts.certificates = [EAST, WEST]
            .map(|name| CertificateFact {
                region: region(name),
                names: Some(vec!["api.example.com".to_owned()]),
                valid_until: Some(TODAY.saturating_add(jiff::Span::new().days(90))),
                probed: Some(false),
            })
            .to_vec();
        case.broken()
    };
    assert_eq!(told(CheckProtocol::Https), ["W30 us-east-1", "W30 eu-west-1"]);
    assert_eq!(told(CheckProtocol::Http), [""; 0]);
}

#[test]
fn w30_names_the_listener_that_speaks_tls_1_3_alone_with_its_region() {
    let mut case = Case::new();
    case.facts.health_checks = vec![HealthCheckFact::new("check-1", region(EAST), CheckProtocol::Https)];
    let listener = ListenerFact { port: 443, policy: "tls13".to_owned(), oldest: Some(TlsVersion::V1_3) };
    case.facts.load_balancers[1].listeners.push(listener);
    let report = case.report();
    let messages: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| finding.subject == "front-eu-west-1")
        .map(|finding| finding.message.as_str())
        .collect();
    let [message] = messages.as_slice() else { panic!("{messages:?}") };
    assert!(message.starts_with("front-eu-west-1 in eu-west-1 accepts TLS 1.3 alone on port 443 (tls13)"), "{message}");
}

#[test]
fn w32_counts_the_publication_of_a_name_that_no_step_waits_for() {
    let broken = |waits: bool, publication: u64| {
        let mut case = Case::new();
        case.traffic().publication = Some(Duration::from_secs(publication));
        if !waits {
            for id in ["dns/await", "dns/confirm"] {
                case.find(id).calls.iter_mut().for_each(|call| call.mutates = true);
            }
        }
        // 52 s to detect, 120 s of steps, 60 s of TTL: 68 s are left.
        case.broken().contains(&"W32 plan".to_owned())
    };
    assert!(!broken(true, 600), "the wait is a step, and counted as one");
    assert!(!broken(false, 68));
    assert!(broken(false, 69));
}

#[test]
fn e11_looks_at_the_target_of_a_detachment_too() {
    let broken = |target: &str| {
        let call = control("rds:RemoveFromGlobalCluster", WEST).arg("DbClusterIdentifier", target);
        let case = Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), call]);
        case.broken().contains(&"E11 db/promote".to_owned())
    };
    assert!(broken("orders") && broken(OLD_ARN));
    assert!(!broken(NEW_ARN));
}

#[test]
fn e11_an_arn_with_a_part_left_empty_is_none() {
    let broken = |target: &str| {
        let call = failover_call().arg("TargetDbClusterIdentifier", target);
        let case = Case::new().step("db/promote", |step| step.calls = vec![look("rds:Describe", WEST), call]);
        case.broken().contains(&"E11 db/promote".to_owned())
    };
    for empty in [
        "arn::rds:eu-west-1:1:cluster:orders",
        "arn:aws:rds:eu-west-1::cluster:orders",
        "arn:aws:rds:eu-west-1:1:cluster:",
    ] {
        assert!(broken(empty), "{empty}");
    }
    assert!(!broken("arn:aws:rds:eu-west-1:1:cluster:orders"));
}

#[test]
fn e16_counts_what_changes_by_its_name_and_what_is_said_to_change() {
    let broken = |operation: &str, mutates: bool| {
        let mut case = Case::new();
        case.graceful(GoalKind::Switchover);
        case.find("apps/scale").calls = vec![control(operation, EAST)];
        case.find("apps/scale").calls[0].mutates = mutates;
        case.broken().contains(&"E16 apps/scale".to_owned())
    };
    assert!(
        broken("iam:PutRolePolicy", true) && broken("iam:PutRolePolicy", false) && broken("iam:AddRoleToProfile", true)
    );
    assert!(!broken("iam:GetRolePolicy", false));
}

#[test]
fn w35_says_how_much_of_the_rate_others_take() {
    let told = |others: f64| {
        let mut case = Case::new();
        case.graceful(GoalKind::Switchover);
        for n in 0..6 {
            let call = look("route53:ListResourceRecordSets", EAST);
            case.add(&format!("dns/look-{n}"), "dns/confirm", Phase::Confirm, &["dns/await"], vec![call]);
        }
        case.facts.api_rates = vec![ApiRateFact { service: "route53".to_owned(), per_second: others }];
        let report = case.report();
        let found = report.findings.iter().find(|finding| finding.check.starts_with("W35"));
        found.map(|finding| finding.message.clone()).unwrap_or_default()
    };
    assert_eq!(told(0.0), "6 calls of Route 53's API begin within a second, and an account has 5 a second");
    assert_eq!(
        told(2.0),
        "6 calls of Route 53's API begin within a second, beside 2 of others, and an account has 5 a second"
    );
}
