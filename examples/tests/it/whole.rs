//! A whole failover by hand, without the lost region: every move that a plan will make, and what the clients felt.

use std::time::Duration;

use dr_core::model::Plane;
use dr_lab::{
    FaultPreset, Lab,
    clients::Window,
    platform::{NAMESPACE, SERVICES},
};
use http::Method;
use serde_json::json;

use crate::{
    by_hand::{EAST, WEST, WEST_CLUSTER, east, leads_to, pass, promote_cache, rds, switch, until, west},
    failover::{lost, missing},
};

#[tokio::test(flavor = "multi_thread")]
async fn clients_are_served_again_and_stay_where_they_were_led() {
    let lab = Lab::builder().seed(13).build().await.unwrap();
    let control = lab.control();
    let before = control.state().await.unwrap();
    until(&lab, "steady state", async || lab.ledger().acknowledged() >= 60).await;
    let fault = control.inject(&FaultPreset::Blackhole.into()).await.unwrap();
    for plane in Plane::ALL {
        assert!(lab.faults().plane(&east(), plane).is_some(), "{plane} is gone");
    }

    rds(&lab, &west(), "FailoverGlobalCluster", WEST_CLUSTER, "&AllowDataLoss=true").await;
    promote_cache(&lab, &west(), "ecommerce-cache-euw1").await;
    let cluster = &lab.clusters()[&west()];
    for service in &SERVICES {
        let (path, patch) = match service.autoscaled_to {
            Some(_) => ("autoscaling/v2", json!({ "spec": { "minReplicas": service.full } })),
            None => ("apps/v1", json!({ "spec": { "replicas": service.full } })),
        };
        let kind = if service.autoscaled_to.is_some() { "horizontalpodautoscalers" } else { "deployments" };
        let uri = format!("/apis/{path}/namespaces/{NAMESPACE}/{kind}/{}", service.name).parse().unwrap();
        cluster.call(&Method::PATCH, &uri, &patch).unwrap();
    }
    until(&lab, "database and cache to write", async || {
        let state = control.state().await.unwrap();
        lab.world().rds().is_writable(&west(), "ecommerce-secondary")
            && state.cache["ecommerce-cache-euw1"] == "primary"
    })
    .await;
    until(&lab, "full size", async || {
        SERVICES.iter().all(|service| cluster.ready_replicas(NAMESPACE, service.name) == service.full)
    })
    .await;
    assert_eq!(leads_to(&lab).await, [EAST], "nothing has moved traffic yet");
    switch(&lab, true).await;
    until(&lab, "the public name to move", async || leads_to(&lab).await == [WEST]).await;
    until(&lab, "every client to be served again", async || {
        let report = lab.client_report(Window::since(fault.at_s));
        report.gaps.iter().all(|gap| !gap.open || gap.seconds() < 10.0) && report.all_flipped_to(WEST).is_some()
    })
    .await;

    let felt = control.clients(Window::since(fault.at_s)).await.unwrap();
    let gap = felt.longest_gap.unwrap();
    // A reply that was under way when the fault struck may still arrive.
    assert!(!gap.open && gap.from_s < fault.at_s + 5.0, "{gap:?} of a fault at {}", fault.at_s);
    assert!(gap.seconds() > 45.0, "{gap:?}: promotion alone takes 45 s");
    let audit = control.audit(None).await.unwrap();
    assert_eq!(lost(&audit), missing(&lab));
    assert_eq!(audit.split_brain, 0);

    // The region is back; the switch, still thrown, holds traffic away from it.
    control.heal().await.unwrap();
    pass(&lab, Duration::from_secs(90)).await;
    assert_eq!(leads_to(&lab).await, [WEST]);
    let changed = before.diff(&control.state().await.unwrap());
    for expected in ["answer", "cache.ecommerce-cache-euw1", "database.ecommerce-secondary", "switch", "writer"] {
        assert!(changed.iter().any(|line| line.starts_with(expected)), "{expected} in {changed:#?}");
    }
    switch(&lab, false).await;
    until(&lab, "the public name to move back", async || leads_to(&lab).await == [EAST]).await;
    lab.shutdown().await;
}
