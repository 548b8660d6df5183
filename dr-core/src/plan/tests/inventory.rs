//! What was seen, looked up and put together.

use super::*;

#[test]
fn a_health_check_is_found_by_its_id_and_two_looks_are_one() {
    let region = |id: &str| RegionId::new(id).unwrap();
    let check = |id: &str, judges: &str| HealthCheckFact::new(id, region(judges), CheckProtocol::Https);
    let mut seen = Inventory { health_checks: vec![check("one", "us-east-1")], ..Inventory::default() };
    assert_eq!(seen.health_check("two"), None);
    let another = Inventory {
        health_checks: vec![check("two", "eu-west-1")],
        unknown: vec!["the zone".to_owned()],
        ..Inventory::default()
    };
    seen.merge(another);
    assert_eq!(seen.health_check("one").unwrap().judges, region("us-east-1"));
    assert_eq!(seen.health_check("two").unwrap().judges, region("eu-west-1"));
    assert_eq!(seen.unknown, ["the zone"]);
}

#[test]
fn what_a_run_reads_is_named_as_people_say_it() {
    let named = [
        (DependencyKind::Queue, "queue"),
        (DependencyKind::BackupStorage, "backup storage"),
        (DependencyKind::InfrastructureState, "infrastructure state"),
    ];
    for (kind, name) in named {
        assert_eq!(kind.to_string(), name);
    }
}
