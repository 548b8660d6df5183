//! Groups in a run: their state, their deadlines, and decisions about them.

use std::time::Duration;

use futures::TryStreamExt as _;

use super::world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id};
use crate::{
    engine::{Control, Engine, GroupState, NewRun, OnPause, RunState, RunView},
    journal::{Decision, Entry, Journal as _, Record, Seq},
    model::{ApplicationId, RunId},
    plan::{Plan, PlanBuilder},
};

async fn engine(bench: &Bench, plan: PlanBuilder) -> Engine {
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "switches")).await.unwrap();
    engine
}

async fn run(bench: &Bench, engine: &Engine) -> RunView {
    bench.drive(engine.run(&run_id())).await.unwrap()
}

fn skip(step: &str) -> Control {
    Control::Skip { step: step_id(step), who: "Ada".to_owned(), why: "not needed".to_owned() }
}

fn retry(step: &str) -> Control {
    Control::Retry { step: step_id(step), who: "Ada".to_owned(), why: "again".to_owned() }
}

fn state(view: &RunView, group: &str) -> GroupState {
    view.group(group).unwrap().state
}

/// A child of three steps, one after another; the second may be told to go wrong.
fn child(bench: &Bench) -> Plan {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("one", &act, &params("one", 10_000));
    plan.step("two", &act, &params("two", 10_000)).after("one");
    plan.step("three", &act, &params("three", 10_000)).after("two");
    plan.build().unwrap()
}

fn parent(bench: &Bench) -> PlanBuilder {
    let mut plan = builder();
    plan.child("child", &child(bench));
    plan.step("end", &TurnOn(bench.world.clone()), &params("end", 0)).after("child");
    plan
}

#[tokio::test]
async fn a_failed_member_is_a_failed_group_and_a_retry_of_the_group_tries_it_again() {
    let bench = Bench::new();
    bench.world.wrong("two", &[Wrong::Never]);
    let engine = engine(&bench, parent(&bench)).await;
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), state(&view, "child")), (RunState::PausedByFailure, GroupState::Failed));
    engine.control(&run_id(), retry("child")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), state(&view, "child")), (RunState::Completed, GroupState::Done));
    assert_eq!(view.step("child/two").unwrap().attempts, 2);
}

#[tokio::test]
async fn a_skipped_group_skips_every_member_that_has_not_ended() {
    let bench = Bench::new();
    bench.world.wrong("two", &[Wrong::Never]);
    let engine = engine(&bench, parent(&bench)).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), skip("child")).await.unwrap();
    engine.control(&run_id(), skip("child")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(
        (view.state(), state(&view, "child")),
        (RunState::CompletedWithExceptions, GroupState::DoneWithExceptions)
    );
    let group = view.group("child").unwrap();
    assert_eq!((group.steps, group.done, group.skipped), (3, 1, 2));
    assert_eq!(bench.world.effects(), ["on one", "on end"]);
}

#[tokio::test]
async fn a_group_that_is_done_is_not_tried_again_also_where_some_of_it_was_skipped() {
    let bench = Bench::new();
    bench.world.wrong("two", &[Wrong::Never]);
    let engine = engine(&bench, parent(&bench)).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), skip("child")).await.unwrap();
    let error = engine.control(&run_id(), retry("child")).await.unwrap_err();
    assert!(error.message().contains("only what failed or is late is tried again"), "{error}");
}

#[tokio::test]
async fn a_group_skipped_before_it_began_is_never_begun() {
    let bench = Bench::new();
    let engine = engine(&bench, parent(&bench)).await;
    assert_eq!(state(&engine.view(&run_id()).await.unwrap(), "child"), GroupState::Pending);
    engine.control(&run_id(), skip("child")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(state(&view, "child"), GroupState::Skipped);
    assert_eq!(bench.world.effects(), ["on end"], "unlike a child that is a run of its own");
}

#[tokio::test]
async fn a_late_group_pauses_the_run_until_it_is_given_more_time() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.child("child", &child(&bench)).deadline(Duration::from_secs(15));
    plan.step("end", &TurnOn(bench.world.clone()), &params("end", 0)).after("child");
    let engine = engine(&bench, plan).await;
    for _ in 0..2 {
        let view = run(&bench, &engine).await;
        assert_eq!((view.state(), state(&view, "child")), (RunState::PausedByFailure, GroupState::Failed));
        assert_eq!(bench.world.effects(), ["on one", "on two"], "what was under way ended, and nothing new began");
    }
    let records: Vec<Record> = bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap();
    let told = records.into_iter().filter(|record| {
        matches!(&record.entry, Entry::Paused { step: Some(group), reason, .. }
            if *group == "child" && reason == "child was not done within 15s; not done: child/two, child/three")
    });
    assert_eq!(told.count(), 1);
    for step in ["child/three", "child/two"] {
        let error = engine.control(&run_id(), retry(step)).await.unwrap_err();
        assert!(error.message().contains("time of child is up"), "{error}");
    }
    let resume = Control::Resume { who: "Ada".to_owned(), why: "go".to_owned() };
    let error = engine.control(&run_id(), resume).await.unwrap_err();
    assert!(error.message().contains("child is late"), "{error}");
    engine.control(&run_id(), retry("child")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), state(&view, "child")), (RunState::Completed, GroupState::Done));
}

#[tokio::test]
async fn a_group_that_is_given_its_time_anew_can_be_late_again() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.child("child", &child(&bench)).deadline(Duration::from_secs(5));
    let engine = engine(&bench, plan).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), retry("child")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert!(view.group("child").unwrap().late);
    engine.control(&run_id(), skip("child")).await.unwrap();
    assert_eq!(run(&bench, &engine).await.state(), RunState::CompletedWithExceptions);
}

#[tokio::test]
async fn a_group_whose_last_step_ends_after_its_deadline_is_done_all_the_same() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.child("child", &child(&bench)).deadline(Duration::from_secs(25));
    plan.step("end", &TurnOn(bench.world.clone()), &params("end", 0)).after("child");
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), state(&view, "child")), (RunState::Completed, GroupState::Done));
}

#[tokio::test]
async fn a_cancelled_parent_takes_its_children_back() {
    let bench = Bench::new();
    bench.world.wrong("three", &[Wrong::Never]);
    let engine = engine(&bench, parent(&bench)).await;
    run(&bench, &engine).await;
    let cancel = Control::Cancel { who: "Ada".to_owned(), why: "enough".to_owned(), compensate: true };
    engine.control(&run_id(), cancel).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), state(&view, "child")), (RunState::Cancelled, GroupState::TakenBack));
    assert_eq!(bench.world.effects(), ["on one", "on two", "off two", "off one"]);
}

#[tokio::test]
async fn one_run_at_a_time_holds_for_the_applications_of_child_plans_too() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let named = |application: &str| {
        let template = builder();
        PlanBuilder::new(ApplicationId::new(application).unwrap(), template.goal().clone(), *child(&bench).objectives())
    };
    let mut outer = named("company");
    outer.child("shop", &child(&bench));
    let engine = bench.engine();
    engine.create(NewRun::new(run_id(), outer.build().unwrap())).await.unwrap();
    let second = RunId::new("run-2").unwrap();
    let error = engine.create(NewRun::new(second.clone(), child(&bench))).await.unwrap_err();
    assert!(error.message().contains("run run-1 of shop has not ended"), "{error}");
    let mut other = named("intranet");
    other.step("one", &act, &params("one", 0));
    engine.create(NewRun::new(second, other.build().unwrap())).await.unwrap();
}

#[tokio::test]
async fn a_gate_opens_for_those_it_names() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("orders", &Promote(bench.world.clone()), &params("orders", 0)).gate("orders?").approvers(["Ada"]);
    plan.step("carts", &Promote(bench.world.clone()), &params("carts", 0)).gate("carts?").approvers(["Grace"]);
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    let digest = view.plan().digest().clone();
    let decide = |who: &str, decision| {
        let (plan, who, why) = (digest.clone(), who.to_owned(), "as agreed".to_owned());
        match decision {
            Decision::Approve => Control::Approve { plan, findings: None, who, why },
            Decision::Reject => Control::Reject { plan, findings: None, who, why },
        }
    };
    for decision in [Decision::Approve, Decision::Reject] {
        let error = engine.control(&run_id(), decide("Mallory", decision)).await.unwrap_err();
        assert!(error.message().contains("Mallory may not decide on this plan: Ada, Grace may"), "{error}");
    }
    engine.control(&run_id(), decide("Ada", Decision::Approve)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::WaitingForApproval, "the other gate is not hers");
    assert_eq!(bench.world.effects(), ["on orders"]);
    engine.control(&run_id(), decide("Ada", Decision::Approve)).await.unwrap();
    engine.control(&run_id(), decide("Grace", Decision::Approve)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!((view.state(), view.approvals().len()), (RunState::Completed, 2));
}
