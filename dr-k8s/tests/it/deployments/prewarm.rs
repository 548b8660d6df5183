//! Scaling the standby on suspicion: taken back exactly, or found done by the failover.

use std::sync::Arc;

use dr_core::{
    decision::{Decider, Mode as Policing, Policy, PrewarmPolicy, SurveyedPlans},
    engine::{Engine, OnPause, RunState},
    event::NullSink,
    journal::MemoryJournal,
    model::{Plane, StepId},
    plan::{Goal, GoalKind, Mode},
    planner::{BeforeImages, PlanOptions},
    testing::Fault,
};

use serde_json::json;

use super::world::{BOUNDS, SCALE, World, east, west};

fn goal() -> Goal {
    Goal { kind: GoalKind::Failover, from: east(), to: west(), mode: Mode::Ungraceful }
}

fn decider(w: &World) -> Decider {
    let clock = w.shared_clock();
    let steps = w.drivers.steps().unwrap();
    let journal = Arc::new(MemoryJournal::new(clock.clone()));
    let engine = Engine::builder(journal, steps.clone(), clock.clone()).on_pause(OnPause::Return).build();
    let mut policy = Policy::manual("shop".parse().unwrap(), east(), vec![east(), west()]);
    policy.mode = Policing::Automatic;
    policy.prewarm = Some(PrewarmPolicy { per_hour: 3, keep: std::time::Duration::from_secs(900) });
    let plans = Arc::new(SurveyedPlans {
        topology: w.topology.clone(),
        drivers: w.drivers.clone(),
        clock: clock.clone(),
        options: PlanOptions::default(),
        // One observer is enough where nobody observes.
        waivers: vec![
            serde_json::from_value(
                json!({ "rule": "W37", "who": "tests", "why": "nobody observes here", "until": "9999-12-31" }),
            )
            .unwrap(),
        ],
    });
    let owner = "decider".parse().unwrap();
    Decider::new(policy, engine, &steps, plans, owner, clock, Arc::new(NullSink)).unwrap()
}

#[tokio::test]
async fn only_the_scaling_of_the_standby_may_be_done_on_suspicion() {
    let w = World::new();
    let inventory = w.survey().await;
    let plan = w.plan(GoalKind::Failover, Mode::Ungraceful, &inventory, &BeforeImages::default());
    let may = plan.steps().iter().filter(|step| step.may_prewarm(&goal())).map(|step| &step.id);
    let may: Vec<&str> = may.map(StepId::as_str).collect();
    // Waiting for replicas is left to the failover: a verdict must not wait for what only waits.
    assert_eq!(may, ["platform/scale-cart", "platform/scale-orders", "platform/scale-ledger"]);
}

#[tokio::test]
async fn what_was_scaled_on_suspicion_is_put_back_exactly_when_it_clears() {
    let w = World::new();
    let began = (w.east.specifications(), w.west.specifications());
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::BlackHole));
    let mut decider = decider(&w);
    let (run, work) = w.with_time(decider.warm(&goal(), "suspect")).await.unwrap().unwrap();
    assert_eq!(w.with_time(work).await.unwrap().state(), RunState::WaitingForApproval);
    w.clock.advance(std::time::Duration::from_secs(120));
    assert_eq!(w.standby(), [4, 3, 2], "at full size before any verdict");
    let ended = w.with_time(decider.settle_warm(&run, false, "the suspicion has cleared")).await.unwrap().unwrap();
    assert_eq!(ended.state(), RunState::Cancelled);
    w.faults.clear();
    assert_eq!((w.east.specifications(), w.west.specifications()), began, "bounds and counts, to the field");
    w.clock.advance(std::time::Duration::from_secs(600));
    assert_eq!(w.west.specifications(), began.1, "and it stays so");
}

#[tokio::test]
async fn the_failover_scales_nothing_again_and_the_way_back_restores_what_was_before_the_suspicion() {
    let w = World::new();
    let began = w.west.specifications();
    w.faults.switch(&east(), Plane::Kubernetes, Some(Fault::BlackHole));
    let mut decider = decider(&w);
    let (run, work) = w.with_time(decider.warm(&goal(), "suspect")).await.unwrap().unwrap();
    w.with_time(work).await.unwrap();
    w.with_time(decider.settle_warm(&run, true, "the verdict has fallen")).await.unwrap();
    let changes = || {
        let all = ["cart", "orders", "ledger"].map(|name| (w.count(BOUNDS, name), w.count(SCALE, name)));
        (all, w.effects.all().len())
    };
    let warmed = changes();
    assert_eq!(warmed.0, [(1, 0), (0, 1), (1, 1)]);
    let there = w.run(GoalKind::Failover, Mode::Ungraceful, &BeforeImages::default()).await;
    assert_eq!((there.state(), w.standby()), (RunState::Completed, [4, 3, 2]));
    assert_eq!(changes(), warmed, "found done");
    // The failover by itself does not know what stood before anybody warmed the standby.
    assert!(there.before_images().0.is_empty());
    w.faults.clear();
    let images = w.with_time(decider.before_images(&there)).await.unwrap();
    let back = w.run(GoalKind::Failback, Mode::Graceful, &images).await;
    assert_eq!((back.state(), w.west.specifications()), (RunState::Completed, began));
}
