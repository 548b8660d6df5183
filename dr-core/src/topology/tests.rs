use serde_json::{Value, json};

use super::*;
use crate::{model::RegionId, spec::Spec};

fn spec(resources: Value) -> Spec {
    serde_json::from_value(json!({
        "application": "shop",
        "endpoint": "https://api.example.com",
        "objectives": { "rto": "5m", "rpo": "60s" },
        "regions": [
            { "id": "ap-south-1", "role": "pilot-light" },
            { "id": "us-east-1", "role": "active" },
            { "id": "eu-west-1", "role": "warm-standby" },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": [{ "id": "a", "region": "eu-central-1" }],
        "probes": [{
            "id": "front", "kind": "http", "path": "/health", "interval": "10s", "timeout": "4s",
            "threshold": { "trip": 3, "clear": 3 },
        }],
        "detection": { "quorum": 2, "dwell": "10s", "hold_down": "10m" },
        "resources": resources,
        "runner": { "region": "eu-central-1" },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-central-1" },
    }))
    .unwrap()
}

fn resource(id: &str, depends_on: &[&str]) -> Value {
    json!({ "id": id, "kind": "test.thing", "depends_on": depends_on, "spec": {} })
}

#[test]
fn resources_come_in_dependency_order() {
    let topology = Topology::new(&spec(json!([
        resource("dns", &["db", "services"]),
        resource("services", &["db"]),
        resource("db", &[]),
    ])))
    .unwrap();
    let order: Vec<&str> = topology.resources().iter().map(|resource| resource.id.as_str()).collect();
    assert_eq!(order, ["db", "services", "dns"]);
}

#[test]
fn a_warm_standby_is_preferred_and_a_witness_never_takes_over() {
    let topology = Topology::new(&spec(json!([resource("db", &[])]))).unwrap();
    assert_eq!(topology.active().map(|region| region.id.as_str()), Some("us-east-1"));
    let from = RegionId::new("us-east-1").unwrap();
    let able: Vec<&str> = topology.candidates(&from).iter().map(|region| region.id.as_str()).collect();
    assert_eq!(able, ["eu-west-1", "ap-south-1"]);
    assert_eq!(topology.witnesses().count(), 1);
}

#[test]
fn a_spec_made_by_hand_is_not_trusted() {
    let dangling = Topology::new(&spec(json!([resource("dns", &["db"])])));
    assert_eq!(dangling.unwrap_err().to_string(), "dns depends on db, which does not exist");
    let cycle = Topology::new(&spec(json!([resource("a", &["b"]), resource("b", &["a"])])));
    assert_eq!(cycle.unwrap_err().to_string(), "resources wait for one another: a -> b");
    let mut two = spec(json!([resource("db", &[])]));
    two.regions.iter_mut().for_each(|region| region.role = crate::model::RegionRole::Active);
    assert_eq!(Topology::new(&two).unwrap_err(), InvalidTopology::ActiveRegions(4));
}
