//! Waiting until a workload can take its load, and giving up when it cannot.

use std::time::Duration;

use dr_core::{
    engine::RunState,
    error::{ErrorKind, Retry},
    plan::{GoalKind, Mode, Ungraceful},
    planner::BeforeImages,
    step::{ModeSwitch, Observed, Step},
    testing::{Fault, FaultRule},
    time::Clock as _,
};
use dr_k8s::{
    deployments::{AwaitReady, AwaitReadyParams},
    testing::Workload,
};

use super::world::{World, west};

fn params(w: &World, name: &str, replicas: u32) -> AwaitReadyParams {
    AwaitReadyParams { workload: w.workload(name), replicas, unschedulable_after: Duration::from_secs(60) }
}

#[tokio::test]
async fn waits_for_the_replicas_and_not_for_the_condition() {
    let w = World::new();
    let step = AwaitReady::new(w.clusters.clone());
    let params = params(&w, "orders", 4);
    w.west.deploy(&Workload::new("production", "orders").replicas(4).image("eu-west-1.example.com/orders:1"));
    assert_eq!(step.observe(&w.step_cx(), &params).await.unwrap(), Observed::NotStarted);
    let begun = w.clock.monotonic();
    let evidence = w.with_time(step.execute(&w.step_cx(), &params)).await.unwrap();
    assert_eq!(evidence.available, 4);
    assert!(w.clock.monotonic().since(begun) >= Duration::from_secs(8), "pods take 8 s to start");
    step.verify(&w.step_cx(), &params, &evidence).await.unwrap();
    w.west.deploy(&Workload::new("production", "orders").replicas(2).image("eu-west-1.example.com/orders:1"));
    let gone = step.verify(&w.step_cx(), &params, &evidence).await.unwrap_err();
    assert_eq!(gone.kind(), ErrorKind::PostconditionFailed);
}

#[tokio::test]
async fn gives_up_at_once_on_an_image_that_cannot_be_pulled() {
    let w = World::new();
    w.west.remove_image("eu-west-1.example.com/orders:1");
    let begun = w.clock.monotonic();
    let view = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    let (step, _) = view.failed_for_good().next().unwrap();
    assert_eq!(step.id.as_str(), "platform/ready-orders");
    let said = format!("{:?}", view.step("platform/ready-orders").unwrap());
    assert!(said.contains("ImagePullBackOff") && said.contains("production/orders in eu-west-1"), "{said}");
    assert!(w.clock.monotonic().since(begun) < Duration::from_secs(60), "long before its five minutes are up");
}

#[tokio::test]
async fn gives_a_cluster_autoscaler_time_and_no_more() {
    let w = World::new();
    for node in ["node-1", "node-2", "node-3"] {
        w.west.node(node, 1);
    }
    let step = AwaitReady::new(w.clusters.clone());
    w.west.deploy(&Workload::new("production", "orders").replicas(4).image("eu-west-1.example.com/orders:1"));
    let begun = w.clock.monotonic();
    let error = w.with_time(step.execute(&w.step_cx(), &params(&w, "orders", 4))).await.unwrap_err();
    assert_eq!((error.kind(), error.retry()), (ErrorKind::PreconditionFailed, Retry::Never));
    assert!(error.message().contains("is Unschedulable: 0/3 nodes are available"), "{error}");
    let waited = w.clock.monotonic().since(begun);
    assert!((60..70).contains(&waited.as_secs()), "{waited:?}");
}

#[tokio::test]
async fn a_node_that_comes_in_time_is_waited_for() {
    let w = World::new();
    for node in ["node-1", "node-2", "node-3"] {
        w.west.node(node, 1);
    }
    w.west.deploy(&Workload::new("production", "orders").replicas(4).image("eu-west-1.example.com/orders:1"));
    let step = AwaitReady::new(w.clusters.clone());
    let (cx, params) = (w.step_cx(), params(&w, "orders", 4));
    let (evidence, ()) = w
        .with_time(futures::future::join(step.execute(&cx, &params), async {
            w.clock.sleep(Duration::from_secs(30)).await;
            w.west.node("node-4", 10);
        }))
        .await;
    assert_eq!(evidence.unwrap().available, 4);
}

#[tokio::test]
async fn an_api_server_that_is_away_for_a_while_ends_no_wait() {
    let w = World::new();
    let step = AwaitReady::new(w.clusters.clone());
    w.west.deploy(&Workload::new("production", "orders").replicas(3).image("eu-west-1.example.com/orders:1"));
    for (n, fault) in [Fault::ServerError, Fault::BlackHole, Fault::Throttle, Fault::Refuse].into_iter().enumerate() {
        w.faults.add(FaultRule::new(fault).at(west()).after(u32::try_from(n).unwrap()).times(1));
    }
    let evidence = w.with_time(step.execute(&w.step_cx(), &params(&w, "orders", 3))).await.unwrap();
    assert_eq!(evidence.available, 3);
}

#[tokio::test]
async fn a_black_hole_ends_with_the_step_and_says_what_was_last_seen() {
    let w = World::new();
    w.faults.add(FaultRule::new(Fault::BlackHole).at(west()));
    let step = AwaitReady::new(w.clusters.clone());
    let begun = w.clock.monotonic();
    let error = w.with_time(step.execute(&w.step_cx(), &params(&w, "orders", 3))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    // Its last look found that nobody was to be asked for a while, after the looks before it had got no answer.
    assert!(
        error.message().contains("k8s:get deployments: eu-west-1 (kubernetes) did not answer the last calls"),
        "{error}"
    );
    // The step's five minutes, and at most one call more.
    assert!(w.clock.monotonic().since(begun) < Duration::from_secs(310));
}

/// The world with room for four pods: one of `cart`, and three of the four of `orders` that it deploys.
fn crowded() -> World {
    let w = World::new();
    for node in ["node-1", "node-2", "node-3", "node-4"] {
        w.west.node(node, 1);
    }
    w.west.deploy(&Workload::new("production", "orders").replicas(4).image("eu-west-1.example.com/orders:1"));
    w
}

#[tokio::test]
async fn a_wait_that_is_switched_to_ungraceful_is_content_with_the_minimum() {
    for (percent, enough) in [(75, true), (76, false)] {
        let w = crowded();
        let step = AwaitReady::new(w.clusters.clone());
        let switch = ModeSwitch::default();
        let rule = Ungraceful::MinimumSuccess { percent };
        let (cx, params) = (w.step_cx().with_mode(Some(rule), switch.clone()), params(&w, "orders", 4));
        let (ended, ()) = w
            .with_time(futures::future::join(step.execute(&cx, &params), async {
                w.clock.sleep(Duration::from_secs(30)).await;
                switch.throw();
            }))
            .await;
        match ended {
            Ok(evidence) => {
                assert!(enough, "{percent} %");
                assert_eq!(evidence.available, 3);
                assert!(w.clock.monotonic().since_origin() < Duration::from_secs(45), "soon after the switch");
                assert_eq!(step.observe(&cx, &params).await.unwrap(), Observed::Done { output: evidence.clone() });
                step.verify(&cx, &params, &evidence).await.unwrap();
            }
            Err(error) => assert!(!enough && error.message().contains("Unschedulable"), "{percent} %: {error}"),
        }
    }
}
