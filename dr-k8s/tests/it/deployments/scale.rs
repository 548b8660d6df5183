//! The steps that change something, one at a time.

use dr_core::{
    error::{Effect, ErrorKind},
    plan::Arg,
    step::{Observed, Step},
};
use dr_k8s::deployments::{Restore, RestoreParams, ScaleUp, ScaleUpParams, WorkloadImage};
use http::Method;
use serde_json::{Value, json};

use super::world::{BOUNDS, SCALE, World};

fn params(w: &World, name: &str, replicas: u32) -> ScaleUpParams {
    ScaleUpParams { workload: w.workload(name), replicas }
}

#[tokio::test]
async fn the_before_image_is_exact_and_so_is_taking_back() {
    let w = World::new();
    let step = ScaleUp::new(w.clusters.clone());
    let began = w.west.specifications();
    for name in ["cart", "orders", "ledger"] {
        let params = params(&w, name, 6);
        let before = step.before_image(&w.step_cx(), &params).await.unwrap();
        let cx = w.step_cx().with_before(before);
        assert_eq!(step.observe(&cx, &params).await.unwrap(), Observed::NotStarted);
        let output = step.execute(&cx, &params).await.unwrap();
        step.verify(&cx, &params, &output).await.unwrap();
        // Another process takes the run up: it sees the effect, and the image is still the one of before.
        assert_eq!(step.observe(&cx, &params).await.unwrap(), Observed::Done { output });
        w.clock.advance(std::time::Duration::from_secs(60));
        assert_eq!(w.west.ready_replicas("production", name), 6);
        step.compensate(&cx, &params, None).await.unwrap();
        // Taking back what was taken back changes nothing.
        let effects = w.effects.all().len();
        step.compensate(&cx, &params, None).await.unwrap();
        assert_eq!(w.effects.all().len(), effects);
    }
    assert_eq!(w.west.specifications(), began);
}

#[tokio::test]
async fn taking_back_what_was_never_begun_is_nothing() {
    let w = World::new();
    let step = ScaleUp::new(w.clusters.clone());
    step.compensate(&w.step_cx(), &params(&w, "cart", 4), None).await.unwrap();
    assert_eq!(w.effects.all(), []);
}

#[tokio::test]
async fn a_workload_that_has_more_is_left_alone() {
    let w = World::new();
    let step = ScaleUp::new(w.clusters.clone());
    let observed = step.observe(&w.step_cx(), &params(&w, "orders", 1)).await.unwrap();
    assert!(matches!(observed, Observed::Done { .. }));
    step.execute(&w.step_cx(), &params(&w, "orders", 1)).await.unwrap();
    assert_eq!(w.effects.all(), []);
}

#[tokio::test]
async fn keda_is_named_and_not_fought() {
    let w = World::new();
    let owner = json!([{ "apiVersion": "keda.sh/v1alpha1", "kind": "ScaledObject", "name": "cart", "uid": "u" }]);
    let uri = "/apis/autoscaling/v2/namespaces/production/horizontalpodautoscalers/cart".parse().unwrap();
    w.west.call(&Method::PATCH, &uri, &json!({ "metadata": { "ownerReferences": owner } })).unwrap();
    let step = ScaleUp::new(w.clusters.clone());
    let Observed::Blocked { reason } = step.observe(&w.step_cx(), &params(&w, "cart", 4)).await.unwrap() else {
        panic!("not blocked");
    };
    assert!(reason.contains("KEDA's ScaledObject \"cart\""), "{reason}");
}

#[tokio::test]
async fn a_workload_that_does_not_exist_is_not_found() {
    let w = World::new();
    let step = ScaleUp::new(w.clusters.clone());
    let error = step.observe(&w.step_cx(), &params(&w, "absent", 4)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::NotFound, Effect::NotApplied));
    assert_eq!(error.operation(), "k8s:get deployments");
}

/// Between the read and the write, somebody else changes the workload: theirs stands.
#[tokio::test]
async fn a_change_by_somebody_else_is_not_overwritten() {
    let w = World::new();
    let stale =
        dr_core::testing::FaultRule::new(dr_core::testing::Fault::stale_read(std::time::Duration::from_secs(10)));
    w.clock.advance(std::time::Duration::from_secs(60));
    let uri = "/apis/apps/v1/namespaces/production/deployments/orders/scale".parse().unwrap();
    w.west.call(&Method::PATCH, &uri, &json!({ "spec": { "replicas": 2 } })).unwrap();
    w.faults.add(stale);
    let step = ScaleUp::new(w.clusters.clone());
    let error = step.execute(&w.step_cx(), &params(&w, "orders", 3)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
    assert_eq!((w.west.replicas("production", "orders"), w.count(SCALE, "orders")), (2, 1));
}

#[tokio::test]
async fn an_autoscaler_that_has_gone_is_not_guessed_back() {
    let w = World::new();
    let image = |name: &str| -> WorkloadImage {
        let autoscaler = json!({ "name": name, "min": 1, "max": 3 });
        let image = json!({ "workload": w.workload("orders"), "replicas": 1, "autoscaler": autoscaler });
        serde_json::from_value(image).unwrap()
    };
    let step = Restore::new(w.clusters.clone());
    let params = RestoreParams { workload: w.workload("orders"), image: Arg::Value(image("orders")) };
    assert_eq!(step.observe(&w.step_cx(), &params).await.unwrap(), Observed::NotStarted);
    let error = step.execute(&w.step_cx(), &params).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::PreconditionFailed, Effect::NotApplied));
    assert_eq!(w.count(BOUNDS, "orders"), 0);
}

#[test]
fn parameters_and_images_survive_the_journal() {
    let image = WorkloadImage {
        workload: serde_json::from_value(json!({
            "region": "eu-west-1", "access": { "server": "https://a", "token_file": "/run/token" },
            "namespace": "production", "deployment": "cart",
        }))
        .unwrap(),
        replicas: 1,
        autoscaler: None,
    };
    let params = RestoreParams { workload: image.workload.clone(), image: Arg::Value(image) };
    let stored: Value = serde_json::to_value(&params).unwrap();
    assert_eq!(serde_json::from_value::<RestoreParams>(stored).unwrap(), params);
}
