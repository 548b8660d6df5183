//! Attempts that go wrong.

use std::time::Duration;

use super::world::{Bench, TurnOn, Wrong, builder, params, run_id, step_id, watch};
use crate::{
    engine::{Control, NewRun, OnPause, RunState, RunView, StepState},
    plan::RetryPolicy,
    time::Clock as _,
};

async fn run(bench: &Bench, wrong: &[Wrong], takes_ms: u64, timeout: u64) -> (RunView, Vec<String>) {
    bench.world.wrong("a", wrong);
    let mut plan = builder();
    let policy = RetryPolicy { attempts: 3, first: Duration::from_secs(4), most: Duration::from_secs(6) };
    plan.step("a", &TurnOn(bench.world.clone()), &params("a", takes_ms))
        .timeout(Duration::from_secs(timeout))
        .retry(policy);
    let (sink, mut heard) = watch();
    let engine = bench.builder("engine-1").events(sink).on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    (view, heard())
}

fn elapsed(bench: &Bench) -> Duration {
    bench.world.clock.monotonic().since_origin()
}

#[tokio::test]
async fn a_refused_call_is_repeated_with_growing_pauses() {
    let bench = Bench::new();
    let (view, heard) = run(&bench, &[Wrong::Refused, Wrong::Refused], 0, 60).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.step("a").unwrap().attempts, 3);
    assert_eq!(bench.world.count("on a"), 1);
    assert_eq!(heard.iter().filter(|line| *line == "step-failed a again").count(), 2);
    // 4 s and then 6 s (8 s is above the most), each cut by up to half.
    let waited = elapsed(&bench);
    assert!(waited >= Duration::from_secs(5) && waited <= Duration::from_secs(10), "{waited:?}");
}

#[tokio::test]
async fn attempts_end_and_the_run_waits_for_somebody() {
    let bench = Bench::new();
    let (view, heard) = run(&bench, &[Wrong::Refused; 9], 0, 60).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert_eq!(view.step("a").unwrap().attempts, 3);
    assert!(heard.contains(&"step-failed a for good".to_owned()), "{heard:?}");
    assert!(heard.contains(&"run-paused a failed: refused".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn what_will_fail_the_same_way_is_not_repeated() {
    let bench = Bench::new();
    let (view, _) = run(&bench, &[Wrong::Never; 9], 0, 60).await;
    assert_eq!((view.state(), view.step("a").unwrap().attempts), (RunState::PausedByFailure, 1));
    assert_eq!(elapsed(&bench), Duration::ZERO);
}

#[tokio::test]
async fn a_lost_reply_is_followed_by_a_look_and_not_by_a_repetition() {
    let bench = Bench::new();
    // Half a minute of work behind a reply that was lost at once.
    let (view, _) = run(&bench, &[Wrong::ReplyLost], 30_000, 60).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.step("a").unwrap().attempts, 1);
    assert!(matches!(view.step("a").unwrap().state, StepState::Done { already: false, .. }));
    assert_eq!(bench.world.count("on a"), 1);
    assert_eq!(elapsed(&bench), Duration::from_secs(30));
}

#[tokio::test]
async fn a_call_that_is_never_answered_costs_its_timeout_and_is_looked_for() {
    let bench = Bench::new();
    let (view, _) = run(&bench, &[Wrong::Hangs], 5_000, 20).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(bench.world.count("on a"), 1);
    assert_eq!(elapsed(&bench), Duration::from_secs(20));
}

#[tokio::test]
async fn a_black_hole_is_tried_again() {
    let bench = Bench::new();
    let (view, _) = run(&bench, &[Wrong::BlackHole], 0, 20).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.step("a").unwrap().attempts, 2);
    assert_eq!(bench.world.count("on a"), 1);
}

#[tokio::test]
async fn a_step_whose_program_breaks_stops_the_run_and_not_the_engine() {
    let bench = Bench::new();
    let (view, _) = run(&bench, &[Wrong::Panics], 0, 60).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    let StepState::Failed { failure } = &view.step("a").unwrap().state else { panic!("{view:?}") };
    assert!(failure.message.contains("panicked"), "{failure}");
    // Nobody knows what it did.
    assert!(view.step("a").unwrap().may_stand());
}

#[tokio::test]
async fn what_is_blocked_is_not_done_and_is_looked_at_again() {
    let bench = Bench::new();
    bench.world.block("a", Some("the cluster is being modified"));
    let unblock = {
        let world = bench.world.clone();
        tokio::spawn(async move {
            world.clock.sleep(Duration::from_secs(3)).await;
            world.block("a", None);
        })
    };
    tokio::task::yield_now().await;
    let (view, heard) = run(&bench, &[], 0, 60).await;
    unblock.await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert!(view.step("a").unwrap().attempts > 1, "{heard:?}");
    assert_eq!(bench.world.attempts().len(), 1, "executed once, when it could be");
}

#[tokio::test]
async fn what_the_api_calls_done_and_a_client_does_not_is_not_done() {
    let bench = Bench::new();
    bench.world.unproven("a", true);
    let (view, _) = run(&bench, &[], 1_000, 60).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    assert!(view.step("a").unwrap().may_stand());
    // Proved on the next attempt, without being made again; found by observing alone, it must be proved too.
    let engine = bench.builder("engine-2").on_pause(OnPause::Return).build();
    let retry = Control::Retry { step: step_id("a"), who: "Ada".to_owned(), why: "again".to_owned() };
    engine.control(&run_id(), retry.clone()).await.unwrap();
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::PausedByFailure);
    bench.world.unproven("a", false);
    engine.control(&run_id(), retry).await.unwrap();
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::Completed);
    assert_eq!(bench.world.count("on a"), 1);
}
