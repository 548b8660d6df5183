//! A hand-over that begins as a switchover and is forced half-way, by the engine, through the real SDK.

use std::{sync::Arc, time::Duration};

use dr_aws::aurora_global::{AuroraGlobal, HandOver};
use dr_core::{
    driver::{Driver as _, DriverRegistry},
    engine::{Control, Engine, NewRun, OnPause, RunState, RunView, new_run_id},
    journal::MemoryJournal,
    model::RunId,
    plan::{GoalKind, Inventory, Mode, Plan, Ungraceful},
    planner::{BeforeImages, PlanDraft},
    step::{Reversibility, Step as _},
    time::{Clock as _, SharedClock},
    topology::Topology,
};
use serde_json::json;

use crate::{
    carry_out::{plan_builder, topology},
    two_regions::{EU_ARN, TwoRegions, US_ARN},
};

const FAILOVER: &str = "rds:FailoverGlobalCluster";
const SWITCHOVER: &str = "rds:SwitchoverGlobalCluster";

/// The same application, whose database may be forced.
fn forcible() -> Topology {
    let mut stored = serde_json::to_value(topology()).unwrap();
    let resources = stored["resources"].as_array_mut().unwrap();
    let orders = resources.iter_mut().find(|resource| resource["id"] == "orders-db").unwrap();
    orders["spec"]["ungraceful"] = json!("failover");
    serde_json::from_value(stored).unwrap()
}

fn plan(two: &TwoRegions) -> Plan {
    let (topology, inventory, before) = (forcible(), Inventory::default(), BeforeImages::default());
    let resource = topology.resource(&"orders-db".parse().unwrap()).unwrap();
    let mut builder = plan_builder(GoalKind::Switchover, Mode::Graceful);
    let mut draft = PlanDraft::new(&mut builder, &topology, &inventory, &before, resource);
    AuroraGlobal::new(two.clients.clone()).contribute(resource, &mut draft).unwrap();
    builder.build().unwrap()
}

async fn engine(two: &TwoRegions) -> (Engine, RunId) {
    let mut drivers = DriverRegistry::new();
    drivers.register(Arc::new(AuroraGlobal::new(two.clients.clone()))).unwrap();
    let clock: SharedClock = Arc::new(two.clock.clone());
    let journal = Arc::new(MemoryJournal::new(clock.clone()));
    let engine = Engine::builder(journal, drivers.steps().unwrap(), clock.clone()).on_pause(OnPause::Return).build();
    let run = new_run_id(&clock);
    engine.create(NewRun::new(run.clone(), plan(two)).unattended("test", "a double")).await.unwrap();
    (engine, run)
}

fn force() -> Control {
    Control::Ungraceful { step: None, who: "Ada".to_owned(), why: "us-east-1 is gone".to_owned() }
}

fn told(view: &RunView) -> (String, bool) {
    let output = view.step("orders-db/hand-over").unwrap().output().unwrap();
    (output["writer"].as_str().unwrap().to_owned(), output.get("rpo").is_some())
}

#[tokio::test]
async fn the_plan_says_that_it_may_be_forced() {
    let two = TwoRegions::new();
    let plan = plan(&two);
    let step = plan.step("orders-db/hand-over").unwrap();
    assert_eq!((step.kind.as_str(), step.ungraceful), (HandOver::KIND, Some(Ungraceful::Force)));
    assert_eq!(step.reversibility, Reversibility::Irreversible);
    let changing: Vec<_> = step
        .calls
        .iter()
        .filter(|call| call.mutates)
        .map(|call| (call.operation.as_ref(), call.endpoints[0].as_str(), call.args.contains_key("AllowDataLoss")))
        .collect();
    assert_eq!(changing, [(SWITCHOVER, "us-east-1", false), (FAILOVER, "eu-west-1", true)], "never both in one call");
}

#[tokio::test]
async fn without_force_it_is_a_switchover() {
    let two = TwoRegions::new();
    let (engine, run) = engine(&two).await;
    let view = two.passing(engine.run(&run)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(told(&view), (EU_ARN.to_owned(), false));
    assert_eq!((two.world.effects().count(SWITCHOVER, EU_ARN), two.world.effects().count(FAILOVER, EU_ARN)), (1, 0));
}

#[tokio::test]
async fn a_region_that_dies_before_the_hand_over_is_left_by_force() {
    let two = TwoRegions::new();
    two.clock.advance(Duration::from_secs(60));
    two.lose_us();
    let (engine, run) = engine(&two).await;
    let view = two.passing(engine.run(&run)).await.unwrap();
    assert_eq!(view.state(), RunState::PausedByFailure, "gracefully there is no way");
    assert_eq!(two.world.rds().writer("orders").unwrap().1.to_string(), US_ARN);
    engine.control(&run, force()).await.unwrap();
    let view = two.passing(engine.run(&run)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(told(&view), (EU_ARN.to_owned(), true), "with what is known of the loss");
    assert_eq!((two.world.effects().count(SWITCHOVER, EU_ARN), two.world.effects().count(FAILOVER, EU_ARN)), (0, 1));
}

#[tokio::test]
async fn a_region_that_dies_during_the_hand_over_is_left_by_force() {
    let two = TwoRegions::new();
    two.clock.advance(Duration::from_secs(60));
    let (engine, run) = engine(&two).await;
    let meanwhile = async {
        two.clock.sleep(Duration::from_secs(2)).await;
        two.lose_us();
        two.clock.sleep(Duration::from_secs(20)).await;
        engine.control(&run, force()).await.unwrap();
    };
    let (view, ()) = two.passing(futures::future::join(engine.run(&run), meanwhile)).await;
    let mut view = view.unwrap();
    while view.state() == RunState::PausedByFailure {
        let step = "orders-db/hand-over".parse().unwrap();
        let again = Control::Retry { step, who: "Ada".to_owned(), why: "the switchover has ended".to_owned() };
        engine.control(&run, again).await.unwrap();
        view = two.passing(engine.run(&run)).await.unwrap();
    }
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(told(&view).0, EU_ARN);
    let effects = two.world.effects();
    assert!(effects.count(SWITCHOVER, EU_ARN) <= 1 && effects.count(FAILOVER, EU_ARN) <= 1);
    assert_eq!(two.world.rds().writer("orders").unwrap().1.to_string(), EU_ARN);
}
