//! What people do to a run.

use std::time::Duration;

use super::world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id, watch};
use crate::{
    engine::{Control, Engine, NewRun, OnPause, RunState, RunView, StepState},
    error::ErrorKind,
    plan::PlanBuilder,
    time::Clock as _,
};

fn who() -> (String, String) {
    ("Ada".to_owned(), "as agreed".to_owned())
}

fn retry(step: &str) -> Control {
    let (who, why) = who();
    Control::Retry { step: step_id(step), who, why }
}

fn skip(step: &str) -> Control {
    let (who, why) = who();
    Control::Skip { step: step_id(step), who, why }
}

fn cancel(compensate: bool) -> Control {
    let (who, why) = who();
    Control::Cancel { who, why, compensate }
}

fn pause() -> Control {
    let (who, why) = who();
    Control::Pause { who, why }
}

fn resume() -> Control {
    let (who, why) = who();
    Control::Resume { who, why }
}

/// An engine that returns when it waits for somebody, so that each `run` is a restart.
async fn engine(bench: &Bench, plan: PlanBuilder) -> Engine {
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "switches")).await.unwrap();
    engine
}

async fn run(bench: &Bench, engine: &Engine) -> RunView {
    bench.drive(engine.run(&run_id())).await.unwrap()
}

/// `bad` fails for good at once; `long` is under way by then; `next` comes after `long`.
fn failing(bench: &Bench) -> PlanBuilder {
    bench.world.wrong("bad", &[Wrong::Never]);
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("bad", &act, &params("bad", 0));
    plan.step("after-bad", &act, &params("after-bad", 0)).after("bad");
    plan.step("long", &act, &params("long", 30_000));
    plan.step("next", &act, &params("next", 0)).after("long");
    plan
}

#[tokio::test]
async fn a_failure_lets_what_is_under_way_end_and_begins_nothing() {
    let bench = Bench::new();
    let engine = engine(&bench, failing(&bench)).await;
    for _ in 0..2 {
        let view = run(&bench, &engine).await;
        assert_eq!(view.state(), RunState::PausedByFailure);
        assert_eq!(bench.world.effects(), ["on long"]);
    }
}

#[tokio::test]
async fn a_retry_goes_on_from_the_failed_step() {
    let bench = Bench::new();
    let engine = engine(&bench, failing(&bench)).await;
    run(&bench, &engine).await;
    let error = engine.control(&run_id(), resume()).await.unwrap_err();
    assert!(error.message().contains("bad has failed"), "{error}");
    engine.control(&run_id(), retry("bad")).await.unwrap();
    engine.control(&run_id(), retry("bad")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.step("bad").unwrap().attempts, 2);
    assert_eq!(bench.world.effects().len(), 4);
    let error = engine.control(&run_id(), retry("bad")).await.unwrap_err();
    assert!(error.message().contains("has ended"), "{error}");
}

#[tokio::test]
async fn one_of_two_failed_steps_can_be_tried_again() {
    let bench = Bench::new();
    bench.world.wrong("one", &[Wrong::Never]);
    bench.world.wrong("two", &[Wrong::Never]);
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("one", &act, &params("one", 0));
    plan.step("two", &act, &params("two", 0));
    plan.step("three", &act, &params("three", 0)).after("one");
    let engine = engine(&bench, plan).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), retry("one")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert_eq!(bench.world.effects(), ["on one"], "the other failure still stops new steps");
    engine.control(&run_id(), skip("two")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(bench.world.effects(), ["on one", "on three"]);
    assert!(view.ended().unwrap().1.contains("without two"));
}

#[tokio::test]
async fn a_failed_or_a_future_step_can_be_skipped_and_a_finished_one_not() {
    let bench = Bench::new();
    let engine = engine(&bench, failing(&bench)).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), skip("bad")).await.unwrap();
    engine.control(&run_id(), skip("bad")).await.unwrap();
    engine.control(&run_id(), skip("next")).await.unwrap();
    let error = engine.control(&run_id(), skip("long")).await.unwrap_err();
    assert!(error.message().contains("long is done"), "{error}");
    assert_eq!(engine.control(&run_id(), skip("nobody")).await.unwrap_err().kind(), ErrorKind::NotFound);
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(bench.world.effects(), ["on long", "on after-bad"]);
}

#[tokio::test]
async fn a_pause_begins_nothing_new_until_somebody_resumes() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 30_000));
    plan.step("b", &act, &params("b", 0)).after("a");
    let (sink, mut heard) = watch();
    let engine = bench.builder("engine-1").events(sink).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let people = async {
        bench.world.clock.sleep(Duration::from_secs(10)).await;
        engine.control(&run_id(), pause()).await.unwrap();
        engine.control(&run_id(), pause()).await.unwrap();
        bench.world.clock.sleep(Duration::from_secs(90)).await;
        assert_eq!(bench.world.effects(), ["on a"]);
        let view = engine.view(&run_id()).await.unwrap();
        assert_eq!(view.state(), RunState::PausedByOperator);
        engine.control(&run_id(), resume()).await.unwrap();
        engine.control(&run_id(), resume()).await.unwrap();
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed);
    let heard = heard();
    assert_eq!(heard.iter().filter(|line| line.starts_with("run-paused")).count(), 1, "{heard:?}");
    assert_eq!(heard.iter().filter(|line| line.starts_with("run-resumed")).count(), 1, "{heard:?}");
}

/// A chain of four, the third of which fails after its effect may have been made.
fn chain(bench: &Bench, third: &[Wrong]) -> PlanBuilder {
    bench.world.wrong("c", third);
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 0));
    plan.step("b", &act, &params("b", 0)).after("a");
    plan.step("c", &act, &params("c", 0)).after("b");
    plan.step("d", &act, &params("d", 0)).after("c");
    plan
}

#[tokio::test]
async fn a_cancelled_run_takes_back_what_it_did_last_things_first() {
    let bench = Bench::new();
    let engine = engine(&bench, chain(&bench, &[Wrong::Never])).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(true)).await.unwrap();
    engine.control(&run_id(), cancel(true)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Cancelled);
    assert_eq!(bench.world.effects(), ["on a", "on b", "off b", "off a"]);
    assert_eq!(view.step("c").unwrap().compensations, 0, "what certainly was not done is not taken back");
    assert!(view.before_images().0.is_empty());
}

#[tokio::test]
async fn what_may_have_been_done_is_taken_back_too() {
    let bench = Bench::new();
    let engine = engine(&bench, chain(&bench, &[Wrong::Panics])).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(true)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Cancelled);
    assert_eq!(view.step("c").unwrap().state, StepState::Compensated);
}

#[tokio::test]
async fn what_was_there_before_the_run_stays() {
    let bench = Bench::new();
    bench.world.turn_on("a");
    let engine = engine(&bench, chain(&bench, &[Wrong::Never])).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(true)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Cancelled);
    assert_eq!(bench.world.effects(), ["on b", "off b"]);
}

#[tokio::test]
async fn a_cancel_can_leave_everything_as_it_is() {
    let bench = Bench::new();
    let engine = engine(&bench, chain(&bench, &[Wrong::Never])).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(false)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Dirty, "what stands is listed, whether it was to stand or not");
    let left: Vec<&str> = view.effects_left().iter().map(|effect| effect.step.as_str()).collect();
    assert_eq!(left, ["a", "b"]);
    assert_eq!(bench.world.effects(), ["on a", "on b"]);
    assert!(view.ended().unwrap().1.contains("left as it is: a, b"), "{:?}", view.ended());
}

#[tokio::test]
async fn past_the_point_of_no_return_nothing_is_taken_back() {
    let bench = Bench::new();
    bench.world.wrong("shift", &[Wrong::Never]);
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.step("fence", &act, &params("fence", 0));
    plan.step("scale", &act, &params("scale", 0));
    plan.step("promote", &promote, &params("db", 0)).after("fence");
    plan.step("shift", &act, &params("shift", 0)).after("promote").after("scale");
    let engine = engine(&bench, plan).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(true)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Dirty);
    let why =
        |step: &str| view.effects_left().iter().find(|effect| effect.step == *step).map(|effect| effect.why.as_str());
    assert_eq!(why("promote"), Some("there is no way back from it"));
    assert_eq!(why("fence"), Some("past the point of no return nothing is taken back"));
    assert_eq!(view.effects_left().len(), 3);
    assert!(bench.world.effects().iter().all(|effect| effect.starts_with("on ")), "{:?}", bench.world.effects());
    let summary = view.ended().unwrap().1;
    assert!(summary.contains("left as it is") && summary.contains("fence") && summary.contains("promote"), "{summary}");
}

#[tokio::test]
async fn a_cancel_stops_what_is_under_way() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 600_000)).timeout(Duration::from_secs(900));
    let engine = engine(&bench, plan).await;
    let people = async {
        bench.world.clock.sleep(Duration::from_secs(10)).await;
        engine.control(&run_id(), cancel(true)).await.unwrap();
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Cancelled);
    assert_eq!(bench.world.effects(), ["on a", "off a"]);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(20));
}

#[tokio::test]
async fn what_cannot_be_taken_back_waits_for_somebody_who_may_let_it_stand() {
    let bench = Bench::new();
    bench.world.wrong_undo("b", &[Wrong::Never, Wrong::Never]);
    let engine = engine(&bench, chain(&bench, &[Wrong::Never])).await;
    run(&bench, &engine).await;
    engine.control(&run_id(), cancel(true)).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    let error = engine.control(&run_id(), retry("c")).await.unwrap_err();
    assert!(error.message().contains("being cancelled"), "{error}");
    engine.control(&run_id(), retry("b")).await.unwrap();
    assert_eq!(run(&bench, &engine).await.state(), RunState::PausedByFailure);
    engine.control(&run_id(), skip("b")).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Dirty);
    let [left] = view.effects_left() else { panic!("{:?}", view.effects_left()) };
    assert_eq!(left.step, *"b");
    assert!(left.why.contains("could not be taken back, and was left"), "{}", left.why);
    assert_eq!(bench.world.effects(), ["on a", "on b", "off a"]);
    assert!(view.ended().unwrap().1.contains("taken back: a; left as it is: b"), "{:?}", view.ended());
}
