//! What is not known is no error by guess; the rules that need it say that they could not judge.

use crate::{
    lint::fixtures::case::{Case, EAST, WEST, control, look, region},
    plan::{CheckProtocol, GoalKind, HealthCheckFact, ImageFact, Inventory},
};

#[test]
fn the_good_plan_leaves_nothing_unjudged() {
    assert_eq!(Case::new().unjudged(), [""; 0]);
}

#[test]
fn without_facts_there_is_no_finding_by_guess() {
    let mut case = Case::new();
    case.facts = Inventory::default();
    // Rules of the plan alone do speak: nothing is known to hold traffic where it was sent, but a step of the latch phase.
    assert_eq!(case.broken(), [""; 0], "{}", case.report());
    assert_eq!(case.unjudged(), ["E12 db/promote", "E12 cache/promote", "E13 db/promote"]);
}

#[test]
fn each_unknown_fact_is_named_by_the_rule_that_needs_it() {
    let unjudged = |change: fn(&mut Case)| {
        let mut case = Case::new();
        change(&mut case);
        assert_eq!(case.broken(), [""; 0], "{}", case.report());
        assert!(case.report().allows_run(), "what is not known stops nobody");
        case.unjudged()
    };
    assert_eq!(unjudged(|case| case.member("db", WEST).available_instances = None), ["E12 db/promote"]);
    assert_eq!(unjudged(|case| case.member("db", EAST).engine_version = None), ["E13 db/promote"]);
    assert_eq!(unjudged(|case| case.traffic().records.clear()), ["E19 dns/shift"]);
    assert_eq!(unjudged(|case| case.facts.load_balancers.clear()), ["E19 dns/shift"]);
    assert_eq!(
        unjudged(|case| {
            case.graceful(GoalKind::Switchover);
            case.find("dns/shift").calls = vec![control("route53:ChangeResourceRecordSets", EAST)];
        }),
        ["E21 dns/shift"]
    );
    assert_eq!(
        unjudged(|case| {
            let restore = control("k8s:create restores", WEST).arg("backupName", "nightly").arg("restorePVs", true);
            case.find("apps/scale").calls.push(restore);
        }),
        ["E15 apps/scale", "E24 apps/scale", "E25 apps/scale"]
    );
    assert_eq!(unjudged(|case| case.find("apps/scale").before_image = None), ["E26 plan"]);
    assert_eq!(unjudged(|case| case.member("db", WEST).lag_source = None), ["W33 db"]);
    assert_eq!(unjudged(|case| case.facts.capacity.clear()), ["W40 apps"]);
    assert_eq!(
        unjudged(|case| {
            case.graceful(GoalKind::Drill);
        }),
        ["W43 dns/shift"]
    );
    assert_eq!(
        unjudged(|case| {
            let check = HealthCheckFact::new("check-1", region(EAST), CheckProtocol::Https);
            case.facts.health_checks = vec![check];
        }),
        ["W30 us-east-1", "W30 eu-west-1", "W31 check-1"]
    );
    assert_eq!(
        unjudged(|case| {
            case.facts.images = vec![ImageFact {
                workload: "production/orders".to_owned(),
                region: region(EAST),
                reference: "registry.example.com/orders:1.7.2".to_owned(),
                digest: None,
                home: None,
                copies: Default::default(),
            }];
            case.find("apps/ready").calls.push(look("dns:Query", WEST));
        }),
        ["W41 eu-west-1"]
    );
}
