//! Validations and the probe.

use dr_core::{
    model::Plane,
    probe::ProbeCx,
    testing::Fault,
    validation::{CheckCx, Finding},
};
use dr_k8s::testing::Workload;
use http::Method;
use serde_json::json;

use super::world::{World, east, west};

async fn findings(w: &World) -> Vec<Finding> {
    let resource = w.topology.resources()[0].clone();
    let driver = w.drivers.get(&resource.kind).unwrap();
    let cx = CheckCx { topology: &w.topology, clock: w.shared_clock() };
    let mut found = Vec::new();
    for validation in driver.validations(&resource).unwrap() {
        found.extend(w.with_time(validation.check(&cx)).await.unwrap());
    }
    found
}

fn said(findings: &[Finding]) -> Vec<String> {
    findings.iter().map(|f| format!("{} {}: {}", f.severity, f.subject, f.message)).collect()
}

#[tokio::test]
async fn a_sound_platform_is_only_warned_of_its_cap() {
    let w = World::new();
    assert_eq!(
        said(&findings(&w).await),
        ["warning platform: production/cart in eu-west-1: the autoscaler cart caps it at 3, below its full count of 4"]
    );
}

#[tokio::test]
async fn what_would_spoil_a_failover_is_found() {
    let w = World::new();
    w.west.hpa("production", "cart", 1, 8);
    let delete = "/apis/apps/v1/namespaces/production/deployments/ledger".parse().unwrap();
    w.west.call(&Method::DELETE, &delete, &json!(null)).unwrap();
    w.west.deploy(&Workload::new("production", "orders").replicas(1).image("eu-west-1.example.com/orders:2"));
    let cart = "/apis/apps/v1/namespaces/production/deployments/cart".parse().unwrap();
    let label = json!({ "metadata": { "labels": { "argocd.argoproj.io/instance": "shop" } } });
    w.west.call(&Method::PATCH, &cart, &label).unwrap();
    for node in ["node-1", "node-2", "node-3"] {
        w.west.node(node, 1);
    }
    w.clock.advance(std::time::Duration::from_secs(60));
    let found = said(&findings(&w).await);
    for expected in [
        "error platform: production/ledger in eu-west-1: there is no such Deployment",
        "warning platform: production/orders: the regions run different versions: a failover would also be a release",
        "warning platform: production/cart in eu-west-1: Argo CD keeps it as it is written elsewhere, and may undo a failover's changes",
        "warning platform: the cluster of eu-west-1: a failover needs 7 more pods, and its nodes have room for 1",
    ] {
        assert!(found.iter().any(|f| f == expected), "{expected:?} is not in {found:#?}");
    }
    assert_eq!(found.len(), 4, "{found:#?}");
}

#[tokio::test]
async fn a_cluster_that_cannot_be_read_is_a_finding_and_not_the_end() {
    let w = World::new();
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::Refuse));
    let found = said(&findings(&w).await);
    assert!(found[0].starts_with("error platform: the cluster of us-east-1: it cannot be read"), "{found:?}");
}

#[tokio::test]
async fn the_probe_tells_a_sick_api_server_within_its_deadline() {
    let w = World::new();
    let resource = w.topology.resources()[0].clone();
    let probes = w.drivers.get(&resource.kind).unwrap().probes(&resource).unwrap();
    let probe = probes.iter().find(|p| p.subject().region == west()).unwrap();
    let cx = ProbeCx::new(w.shared_clock());
    assert!(w.with_time(probe.probe(&cx)).await.unwrap().is_healthy());
    for fault in [Fault::BlackHole, Fault::Refuse, Fault::ServerError] {
        w.faults.switch(&west(), Plane::Kubernetes, Some(fault));
        let reading = w.with_time(probe.probe(&cx)).await.unwrap();
        assert!(!reading.is_healthy(), "{fault:?}");
        assert!(reading.latency.total <= std::time::Duration::from_secs(9), "{fault:?}: {:?}", reading.latency);
    }
}
