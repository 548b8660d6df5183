//! The controllers, on a clock that the test moves.

use std::time::Duration;

use k8s_openapi::api::{apps::v1::Deployment, core::v1::Pod};
use kube::{
    Api,
    api::{ListParams, Patch, PatchParams},
};
use serde_json::{Value, json};

use super::world::World;
use dr_k8s::testing::Workload;

fn deployment(w: &World, name: &str) -> Value {
    w.cluster.object("deployments.apps", "production", name).unwrap()
}

fn status(w: &World, name: &str, field: &str) -> i64 {
    deployment(w, name).pointer(&format!("/status/{field}")).and_then(Value::as_i64).unwrap_or(0)
}

async fn patch(w: &World, name: &str, patch: Value) {
    let api: Api<Deployment> = Api::namespaced(w.client.clone(), "production");
    api.patch(name, &PatchParams::default(), &Patch::Strategic(&patch)).await.unwrap();
}

fn seconds(n: u64) -> Duration {
    Duration::from_secs(n)
}

#[tokio::test]
async fn a_deployment_becomes_ready_when_its_pods_have_started() {
    let w = World::in_process();
    w.cluster.deploy(&Workload::new("production", "cart").replicas(3));
    assert_eq!(status(&w, "cart", "observedGeneration"), 0, "the controller has not looked yet");
    w.clock.advance(Duration::from_millis(200));
    assert_eq!(status(&w, "cart", "observedGeneration"), 1);
    assert_eq!((status(&w, "cart", "replicas"), status(&w, "cart", "readyReplicas")), (3, 0));
    w.clock.advance(Duration::from_millis(7999));
    assert_eq!(w.cluster.ready_replicas("production", "cart"), 0);
    w.clock.advance(Duration::from_millis(1));
    for field in ["replicas", "updatedReplicas", "readyReplicas", "availableReplicas"] {
        assert_eq!(status(&w, "cart", field), 3, "{field}");
    }
    assert_eq!(deployment(&w, "cart").pointer("/status/unavailableReplicas"), None);
}

#[tokio::test]
async fn scaling_is_observed_before_it_is_done() {
    let w = World::in_process();
    w.cluster.deploy(&Workload::new("production", "cart").replicas(1));
    w.cluster.finish_starting();
    assert_eq!(w.cluster.ready_replicas("production", "cart"), 1);
    patch(&w, "cart", json!({ "spec": { "replicas": 4 } })).await;
    let d = deployment(&w, "cart");
    assert_eq!(
        (d.pointer("/metadata/generation"), d.pointer("/status/observedGeneration")),
        (Some(&json!(2)), Some(&json!(1)))
    );
    // The available replicas are those of before: who reads only them is misled.
    assert_eq!(status(&w, "cart", "availableReplicas"), 1);
    w.clock.advance(seconds(1));
    assert_eq!((status(&w, "cart", "observedGeneration"), status(&w, "cart", "unavailableReplicas")), (2, 3));
    let progressing = |w: &World| {
        let d = deployment(w, "cart");
        let conditions = d.pointer("/status/conditions").and_then(Value::as_array).cloned().unwrap_or_default();
        let found = conditions.iter().find(|c| c.get("type") == Some(&json!("Progressing"))).cloned();
        found.and_then(|c| c.get("reason").cloned())
    };
    assert_eq!(progressing(&w), Some(json!("NewReplicaSetAvailable")), "a pure scale restarts no progress deadline");
    w.clock.advance(seconds(10));
    assert_eq!(status(&w, "cart", "availableReplicas"), 4);
    patch(&w, "cart", json!({ "spec": { "replicas": 0 } })).await;
    w.clock.advance(seconds(1));
    assert_eq!(status(&w, "cart", "replicas"), 0);
}

#[tokio::test]
async fn a_new_image_rolls_out_without_losing_availability() {
    let w = World::in_process();
    w.cluster.deploy(&Workload::new("production", "cart").replicas(4).image("cart:1"));
    w.cluster.finish_starting();
    let image =
        json!({ "spec": { "template": { "spec": { "containers": [{ "name": "cart", "image": "cart:2" }] } } } });
    patch(&w, "cart", image).await;
    let mut least = 4;
    let mut most = 0;
    for _ in 0..200 {
        w.clock.advance(Duration::from_millis(250));
        least = least.min(status(&w, "cart", "availableReplicas"));
        most = most.max(status(&w, "cart", "replicas"));
    }
    assert_eq!((least, most), (3, 5), "25% surge and 25% unavailable");
    assert_eq!((status(&w, "cart", "updatedReplicas"), status(&w, "cart", "replicas")), (4, 4));
    let pods: Api<Pod> = Api::namespaced(w.client.clone(), "production");
    let pods = pods.list(&ListParams::default()).await.unwrap();
    let new = |p: &Pod| p.spec.as_ref().unwrap().containers[0].image.as_deref() == Some("cart:2");
    assert!(pods.items.len() == 4 && pods.items.iter().all(new));
}

#[tokio::test]
async fn an_image_that_cannot_be_pulled_says_so() {
    let w = World::in_process();
    w.cluster.remove_image("cart:9");
    w.cluster.deploy(&Workload::new("production", "cart").image("cart:9"));
    w.clock.advance(seconds(60));
    let pods: Api<Pod> = Api::namespaced(w.client.clone(), "production");
    let pod = pods.list(&ListParams::default()).await.unwrap().items.remove(0);
    let state = pod.status.unwrap().container_statuses.unwrap().remove(0).state.unwrap();
    assert_eq!(state.waiting.and_then(|s| s.reason).as_deref(), Some("ImagePullBackOff"));
    w.cluster.restore_image("cart:9");
    w.clock.advance(seconds(10));
    assert_eq!(w.cluster.ready_replicas("production", "cart"), 1);
}

#[tokio::test]
async fn pods_without_room_are_unschedulable_until_there_is_some() {
    let w = World::in_process();
    for node in ["node-1", "node-2", "node-3"] {
        w.cluster.node(node, 1);
    }
    w.cluster.deploy(&Workload::new("production", "cart").replicas(5));
    w.clock.advance(seconds(20));
    assert_eq!(w.cluster.ready_replicas("production", "cart"), 3);
    let pods: Api<Pod> = Api::namespaced(w.client.clone(), "production");
    let pending = pods.list(&ListParams::default().fields("status.phase=Pending")).await.unwrap().items;
    assert_eq!(pending.len(), 2);
    let condition = pending[0].status.as_ref().unwrap().conditions.as_ref().unwrap()[0].clone();
    assert_eq!((condition.type_.as_str(), condition.status.as_str()), ("PodScheduled", "False"));
    assert_eq!(condition.reason.as_deref(), Some("Unschedulable"));
    w.cluster.node("node-4", 10);
    w.clock.advance(seconds(20));
    assert_eq!(w.cluster.ready_replicas("production", "cart"), 5);
}

#[tokio::test]
async fn an_autoscaler_holds_its_bounds_and_undoes_a_manual_scale() {
    let w = World::in_process();
    w.cluster.deploy(&Workload::new("production", "cart").replicas(1));
    w.cluster.hpa("production", "cart", 1, 3);
    w.cluster.finish_starting();
    patch(&w, "cart", json!({ "spec": { "replicas": 3 } })).await;
    assert_eq!(w.cluster.replicas("production", "cart"), 3);
    // An idle standby calls for the minimum: what was scaled by hand is gone at the next look.
    w.clock.advance(seconds(16));
    assert_eq!(w.cluster.replicas("production", "cart"), 1);

    w.cluster.hpa("production", "cart", 3, 6);
    w.clock.advance(seconds(30));
    assert_eq!((w.cluster.replicas("production", "cart"), w.cluster.ready_replicas("production", "cart")), (3, 3));
    w.cluster.load("production", "cart", 9);
    w.clock.advance(seconds(30));
    assert_eq!(w.cluster.replicas("production", "cart"), 6);
    // The load goes, and the recommendations of the last five minutes keep the replicas.
    w.cluster.load("production", "cart", 0);
    w.clock.advance(seconds(240));
    assert_eq!(w.cluster.replicas("production", "cart"), 6);
    w.clock.advance(seconds(90));
    assert_eq!(w.cluster.replicas("production", "cart"), 3);
}

#[tokio::test]
async fn an_autoscaler_leaves_a_target_at_zero_alone() {
    let w = World::in_process();
    w.cluster.deploy(&Workload::new("production", "cart").replicas(0));
    w.cluster.hpa("production", "cart", 2, 3);
    w.clock.advance(seconds(60));
    assert_eq!(w.cluster.replicas("production", "cart"), 0);
    let hpa = w.cluster.object("horizontalpodautoscalers.autoscaling", "production", "cart").unwrap();
    let conditions = hpa.pointer("/status/conditions").and_then(Value::as_array).unwrap();
    assert!(conditions.iter().any(|c| c.get("reason") == Some(&json!("ScalingDisabled"))));
    patch(&w, "cart", json!({ "spec": { "replicas": 1 } })).await;
    w.clock.advance(seconds(30));
    assert_eq!(w.cluster.replicas("production", "cart"), 2);
}

#[tokio::test]
async fn the_same_looks_at_any_pace_see_the_same_world() {
    let often = World::in_process();
    let once = World::in_process();
    for w in [&often, &once] {
        w.cluster.deploy(&Workload::new("production", "cart").replicas(2));
        w.cluster.hpa("production", "cart", 4, 8);
        w.cluster.load("production", "cart", 6);
    }
    for _ in 0..600 {
        often.clock.advance(Duration::from_millis(100));
        let _ = often.cluster.ready_replicas("production", "cart");
    }
    once.clock.advance(seconds(60));
    assert_eq!(
        once.cluster.object("deployments.apps", "production", "cart"),
        often.cluster.object("deployments.apps", "production", "cart")
    );
}
