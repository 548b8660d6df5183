//! Whole plans, by the planner and the engine.

use dr_core::{
    engine::RunState,
    model::Plane,
    plan::{GoalKind, Mode, Phase, WorkloadOwner},
    planner::BeforeImages,
    testing::Fault,
};

use super::world::{BOUNDS, SCALE, World, east, west};

#[tokio::test]
async fn fails_over_from_a_lost_region_and_puts_everything_back() {
    let w = World::new();
    let began = (w.east.specifications(), w.west.specifications());
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::BlackHole));
    let there = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
    assert_eq!(there.state(), RunState::Completed);
    assert_eq!(w.standby(), [4, 3, 2]);
    assert_eq!((w.count(BOUNDS, "cart"), w.count(SCALE, "cart")), (1, 0), "through the autoscaler");
    assert_eq!((w.count(BOUNDS, "orders"), w.count(SCALE, "orders")), (0, 1), "there is no autoscaler");
    assert_eq!((w.count(BOUNDS, "ledger"), w.count(SCALE, "ledger")), (1, 1), "an autoscaler leaves zero alone");
    let bounds = w.west.object("horizontalpodautoscalers.autoscaling", "production", "cart").unwrap();
    assert_eq!((bounds["spec"]["minReplicas"].as_i64(), bounds["spec"]["maxReplicas"].as_i64()), (Some(4), Some(4)));

    w.faults.clear();
    let back = w.run(GoalKind::Failback, Mode::Graceful, &there.before_images()).await;
    assert_eq!(back.state(), RunState::Completed);
    assert_eq!((w.east.specifications(), w.west.specifications()), began);
    // The region that was returned to needed nothing, so nothing was done to it.
    assert!(w.effects.all().iter().all(|effect| effect.region == west()));
    // And it stays so, whatever the autoscalers think of it.
    w.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(w.west.specifications(), began.1);
}

#[tokio::test]
async fn rehearses_and_restores_within_one_plan() {
    let w = World::new();
    let began = w.west.specifications();
    let view = w.run(GoalKind::Rehearsal, Mode::Graceful, &BeforeImages::default()).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(w.west.specifications(), began);
    assert_eq!(w.count(BOUNDS, "cart"), 2, "there and back");
    let ready = view.step("platform/ready-cart").unwrap().output().unwrap().clone();
    assert_eq!(ready["available"], 4);
}

#[tokio::test]
async fn does_nothing_a_second_time() {
    let w = World::new();
    w.run(GoalKind::Failover, Mode::Graceful, &BeforeImages::default()).await;
    let effects = w.effects.all().len();
    let again = w.run(GoalKind::Failover, Mode::Graceful, &BeforeImages::default()).await;
    assert_eq!((again.state(), w.effects.all().len()), (RunState::Completed, effects));
}

#[tokio::test]
async fn plans_a_step_for_each_service_in_each_phase() {
    let w = World::new();
    let inventory = w.survey().await;
    let plan = w.plan(GoalKind::Failover, Mode::Ungraceful, &inventory, &BeforeImages::default());
    let steps: Vec<(Phase, &str)> = plan.steps().iter().map(|s| (s.phase, s.id.as_str())).collect();
    assert_eq!(
        steps,
        [
            (Phase::Scale, "platform/scale-cart"),
            (Phase::Scale, "platform/scale-orders"),
            (Phase::Scale, "platform/scale-ledger"),
            (Phase::Ready, "platform/ready-cart"),
            (Phase::Ready, "platform/ready-orders"),
            (Phase::Ready, "platform/ready-ledger"),
        ]
    );
    // Nothing in it needs the region that is lost.
    assert!(plan.steps().iter().flat_map(|s| &s.calls).all(|call| !call.needs_control_plane_of(&east())));
    let by_hand = plan.steps()[0].calls.iter().find(|call| call.operation == BOUNDS).unwrap();
    assert_eq!(
        by_hand.manual,
        "kubectl --kubeconfig /west --namespace production patch hpa cart --patch '{\"spec\":{\"minReplicas\":4}}'"
    );
}

#[tokio::test]
async fn surveys_what_can_be_seen() {
    let w = World::new();
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::BlackHole));
    let inventory = w.survey().await;
    assert_eq!(inventory.unknown.len(), 1);
    assert!(inventory.unknown[0].contains("us-east-1") && inventory.unknown[0].contains("no answer within 8s"));
    let fact = |name: &str| inventory.workloads.iter().find(|f| f.name == format!("production/{name}")).unwrap();
    assert_eq!(fact("cart").owner, WorkloadOwner::Hpa { name: "cart".into(), min: 1, max: 3 });
    assert_eq!(
        (fact("orders").owner.clone(), fact("orders").replicas, fact("orders").wanted),
        (WorkloadOwner::Scale, 1, 3)
    );
    assert_eq!(inventory.workloads.len(), 3);
}
