//! Runs that are listed and followed by another process than the one that holds them.

use std::time::Duration;

use futures::{StreamExt as _, TryStreamExt as _};

use super::world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id};
use crate::{
    engine::{AutoApprove, Control, Followed, NewRun, OnPause, RunState},
    error::ErrorKind,
    event::{ChannelSink, EventKind},
    journal::Seq,
    model::RunId,
    plan::PlanBuilder,
    time::Clock as _,
};

fn who() -> (String, String) {
    ("Ada".to_owned(), "as agreed".to_owned())
}

async fn create(bench: &Bench, plan: PlanBuilder) {
    let new = NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "switches");
    bench.builder("creator").build().create(new).await.unwrap();
}

/// A failure, a retry, a skip, a pause by a person, a gate, a lost reply and a cancel: all that is told of a run.
fn eventful(bench: &Bench) -> PlanBuilder {
    bench.world.wrong("a", &[Wrong::Refused, Wrong::ReplyLost]);
    bench.world.wrong("b", &[Wrong::Never]);
    bench.world.wrong("c", &[Wrong::Never]);
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.step("a", &act, &params("a", 3_000));
    plan.step("b", &act, &params("b", 2_000)).after("a");
    plan.step("c", &act, &params("c", 2_000)).after("a");
    plan.step("db", &promote, &params("db", 9_000)).after("b").after("c").gate("no way back");
    plan.step("last", &act, &params("last", 1_000)).after("db");
    plan
}

#[tokio::test]
async fn who_follows_hears_what_those_hear_who_watch_the_engine() {
    let bench = Bench::new();
    create(&bench, eventful(&bench)).await;
    let (sink, mut live) = ChannelSink::new();
    let holder = bench
        .builder("engine-1")
        .events(std::sync::Arc::new(sink))
        .approver(std::sync::Arc::new(AutoApprove::new("Ada", "as agreed")))
        .build();
    let other = bench.builder("engine-2").build();
    let run = run_id();
    let (who, why) = who();
    let people = async {
        bench.world.clock.sleep(Duration::from_secs(30)).await;
        let retry = Control::Retry { step: step_id("b"), who: who.clone(), why: why.clone() };
        other.control(&run, retry).await.unwrap();
        let skip = Control::Skip { step: step_id("c"), who: who.clone(), why: why.clone() };
        other.control(&run, skip).await.unwrap();
        other.control(&run, Control::Pause { who: who.clone(), why: why.clone() }).await.unwrap();
        bench.world.clock.sleep(Duration::from_secs(30)).await;
        other.control(&run, Control::Resume { who: who.clone(), why: why.clone() }).await.unwrap();
        other.control(&run, Control::Retry { step: step_id("a"), who, why }).await.unwrap_err();
    };
    let follower = other.follow(&run, Seq(0)).try_collect::<Vec<Followed>>();
    let (view, (), followed) = bench.drive(async { tokio::join!(holder.run(&run), people, follower) }).await;
    assert_eq!(view.unwrap().state(), RunState::CompletedWithExceptions);
    let followed = followed.unwrap();
    let mut told = Vec::new();
    while let Ok(event) = live.try_recv() {
        // How far a step is within itself is not journalled.
        if !matches!(event.kind, EventKind::StepProgress { .. }) {
            told.push((event.at, event.run.clone(), event.kind));
        }
    }
    let read: Vec<_> =
        followed.iter().flat_map(|f| f.events.iter()).map(|e| (e.at, e.run.clone(), e.kind.clone())).collect();
    assert_eq!(read, told);
    for kind in ["run-resumed", "step-failed", "step-skipped", "approval-decided", "run-ended"] {
        let there = |kind_of: &EventKind| serde_json::to_value(kind_of).unwrap()["event"] == kind;
        assert!(read.iter().any(|(_, _, event)| there(event)), "{kind} is among them");
    }
    // Every record, in order, to the last; with the state that each led to.
    let seqs: Vec<u64> = followed.iter().map(|f| f.record.seq.0).collect();
    assert_eq!(seqs, (1..=seqs.len() as u64).collect::<Vec<_>>());
    assert_eq!(followed.first().unwrap().state, RunState::Pending);
    assert_eq!(followed.last().unwrap().state, RunState::CompletedWithExceptions);
    assert!(followed.iter().any(|f| f.state == RunState::PausedByFailure));
    assert!(followed.iter().any(|f| f.state == RunState::PausedByOperator));

    // Whoever comes later hears the same, and whoever comes back hears the rest.
    let again: Vec<Followed> = bench.drive(other.follow(&run, Seq(0)).try_collect()).await.unwrap();
    assert_eq!(again, followed);
    let rest: Vec<Followed> = bench.drive(other.follow(&run, Seq(9)).try_collect()).await.unwrap();
    assert_eq!(rest, followed[9..]);
    assert!(bench.drive(other.follow(&run, Seq(999)).try_collect::<Vec<_>>()).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_run_that_is_not_there_cannot_be_followed() {
    let bench = Bench::new();
    let mut followed = bench.engine().follow(&RunId::new("run-9").unwrap(), Seq(0));
    let error = bench.drive(followed.next()).await.unwrap().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(bench.drive(followed.next()).await.is_none());
}

#[tokio::test]
async fn runs_are_listed_with_what_they_wait_for() {
    let bench = Bench::new();
    assert!(bench.engine().runs().await.unwrap().is_empty());
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    let listed = || async {
        let (run, summary) = engine.runs().await.unwrap().into_iter().next_back().unwrap();
        let summary = summary.unwrap();
        assert_eq!(run, summary.run);
        summary
    };
    bench.world.wrong("a", &[Wrong::Never]);
    let mut plan = builder();
    plan.step("a", &TurnOn(bench.world.clone()), &params("a", 0));
    plan.step("db", &Promote(bench.world.clone()), &params("db", 0)).after("a").gate("is the old writer off?");
    create(&bench, plan).await;
    let new = listed().await;
    assert_eq!((new.state, new.records, new.steps, new.settled), (RunState::Pending, Seq(1), 2, 0));
    assert_eq!((new.owner, new.why.as_str()), (None, ""));

    bench.drive(engine.run(&run_id())).await.unwrap();
    let failed = listed().await;
    assert_eq!(failed.state, RunState::PausedByFailure);
    assert!(failed.why.contains("a failed: ") && failed.why.contains("may not"), "{}", failed.why);
    assert_eq!(failed.owner.unwrap().as_str(), "engine-1");

    let (who, why) = who();
    let retry = Control::Retry { step: step_id("a"), who: who.clone(), why: why.clone() };
    engine.control(&run_id(), retry).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    let waits = listed().await;
    assert_eq!((waits.state, waits.settled), (RunState::WaitingForApproval, 1));
    assert_eq!(waits.why, "db: is the old writer off?");

    engine.control(&run_id(), Control::Pause { who: who.clone(), why: why.clone() }).await.unwrap();
    let paused = listed().await;
    assert_eq!((paused.state, paused.why.as_str()), (RunState::PausedByOperator, "Ada: as agreed"));
    engine.control(&run_id(), Control::Resume { who: who.clone(), why: why.clone() }).await.unwrap();
    engine.control(&run_id(), Control::Cancel { who, why, compensate: false }).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    let ended = listed().await;
    assert_eq!(ended.state, RunState::Dirty, "a stands, as was asked for");
    assert!(!ended.why.is_empty());
    assert!(engine.open_runs().await.unwrap().is_empty(), "only the open ones are open");
}
