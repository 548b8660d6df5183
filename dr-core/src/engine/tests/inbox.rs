//! Runs that are steered by another process than the one that holds them.

use std::{sync::Arc, time::Duration};

use futures::TryStreamExt as _;
use serde_json::json;

use super::{
    crashes::{CrashJournal, DEATHS},
    world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id, watch},
};
use crate::{
    engine::{Control, Engine, NewRun, OnPause, RunState, StepState, new_token},
    error::{Effect, ErrorKind, Result},
    journal::{Entry, Journal as _, Record, Request, RequestId, Seq},
    model::{OwnerId, RequestToken},
    plan::PlanBuilder,
    time::Clock as _,
};

fn who() -> (String, String) {
    ("Ada".to_owned(), "as agreed".to_owned())
}

fn pause() -> Control {
    let (who, why) = who();
    Control::Pause { who, why }
}

fn resume() -> Control {
    let (who, why) = who();
    Control::Resume { who, why }
}

fn retry(step: &str) -> Control {
    let (who, why) = who();
    Control::Retry { step: step_id(step), who, why }
}

fn skip(step: &str) -> Control {
    let (who, why) = who();
    Control::Skip { step: step_id(step), who, why }
}

fn cancel() -> Control {
    let (who, why) = who();
    Control::Cancel { who, why, compensate: true }
}

async fn approve(engine: &Engine) -> Result<()> {
    let (who, why) = who();
    let plan = engine.view(&run_id()).await?.plan().digest().clone();
    engine.control(&run_id(), Control::Approve { plan, findings: None, who, why }).await
}

async fn create(bench: &Bench, plan: PlanBuilder) {
    let new = NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "switches");
    bench.builder("creator").build().create(new).await.unwrap();
}

/// Two long steps, one after the other.
fn two_steps(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 20_000));
    plan.step("b", &act, &params("b", 20_000)).after("a");
    plan
}

async fn records(bench: &Bench) -> Vec<Record> {
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

/// The answers in the journal: which request, and whether it was refused.
async fn answers(bench: &Bench) -> Vec<(u64, Option<String>)> {
    let answer = |record: Record| match record.entry {
        Entry::RequestAnswered { request, refused } => Some((request.0, refused)),
        _ => None,
    };
    records(bench).await.into_iter().filter_map(answer).collect()
}

async fn sleep(bench: &Bench, secs: u64) {
    bench.world.clock.sleep(Duration::from_secs(secs)).await;
}

#[tokio::test]
async fn a_run_that_another_engine_holds_is_paused_and_resumed() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let (sink, mut heard) = watch();
    let holder = bench.builder("engine-1").events(sink).build();
    let other = bench.builder("engine-2").build();
    let run = run_id();
    let people = async {
        sleep(&bench, 5).await;
        other.control(&run, pause()).await.unwrap();
        // It is durable once the call returns; what was under way ends, and nothing begins.
        assert_eq!(other.view(&run).await.unwrap().state(), RunState::PausedByOperator);
        sleep(&bench, 60).await;
        assert_eq!(bench.world.effects(), ["on a"]);
        other.control(&run, resume()).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    let view = view.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(view.answered(), RequestId(2));
    assert_eq!(answers(&bench).await, [(1, None), (2, None)]);
    let heard = heard();
    assert!(heard.iter().any(|line| line == "run-paused as agreed"), "{heard:?}");
    assert!(heard.iter().any(|line| line == "run-resumed"), "{heard:?}");
    // What was asked and its answer are neighbours, written by the holder.
    let records = records(&bench).await;
    let at = records.iter().position(|record| matches!(record.entry, Entry::Paused { .. })).unwrap();
    assert!(matches!(records[at + 1].entry, Entry::RequestAnswered { request: RequestId(1), .. }));
    assert_eq!(records[at].epoch, records[0].epoch.max(records[at + 1].epoch));
}

#[tokio::test]
async fn an_approval_from_outside_opens_the_gate_at_which_the_run_waits() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("fence", &TurnOn(bench.world.clone()), &params("fence", 0));
    plan.step("promote", &Promote(bench.world.clone()), &params("db", 0)).after("fence").gate("no way back");
    create(&bench, plan).await;
    let (holder, other) = (bench.engine(), bench.builder("engine-2").build());
    let run = run_id();
    let people = async {
        sleep(&bench, 100).await;
        assert_eq!(other.view(&run).await.unwrap().state(), RunState::WaitingForApproval);
        assert_eq!(bench.world.effects(), ["on fence"]);
        approve(&other).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed);
    assert_eq!(bench.world.effects(), ["on fence", "on db"]);
    // Within a look or two of the asking.
    assert!(bench.world.clock.monotonic().since_origin() <= Duration::from_secs(103));
}

#[tokio::test]
async fn a_failed_step_is_tried_again_or_gone_without_from_outside() {
    let bench = Bench::new();
    bench.world.wrong("a", &[Wrong::Never]);
    bench.world.wrong("b", &[Wrong::Never]);
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 0));
    plan.step("b", &act, &params("b", 0)).after("a");
    create(&bench, plan).await;
    let (holder, other) = (bench.engine(), bench.builder("engine-2").build());
    let run = run_id();
    let people = async {
        sleep(&bench, 10).await;
        assert_eq!(other.view(&run).await.unwrap().state(), RunState::PausedByFailure);
        other.control(&run, retry("a")).await.unwrap();
        sleep(&bench, 10).await;
        other.control(&run, skip("b")).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    let view = view.unwrap();
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(view.step("a").unwrap().attempts, 2);
    assert!(matches!(view.step("b").unwrap().state, StepState::Skipped { .. }));
}

#[tokio::test]
async fn a_cancel_from_outside_takes_back_what_was_done() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let (holder, other) = (bench.engine(), bench.builder("engine-2").build());
    let run = run_id();
    let people = async {
        sleep(&bench, 30).await;
        other.control(&run, cancel()).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Cancelled);
    assert!(!bench.world.is_on("a") && !bench.world.is_on("b"));
}

#[tokio::test]
async fn who_is_refused_is_told_why_in_the_words_of_whoever_decides() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let (sink, mut heard) = watch();
    let (holder, other) = (bench.builder("engine-1").events(sink).build(), bench.builder("engine-2").build());
    let run = run_id();
    let people = async {
        sleep(&bench, 30).await;
        let refused = other.control(&run, retry("a")).await.unwrap_err();
        assert_eq!((refused.kind(), refused.effect()), (ErrorKind::PreconditionFailed, Effect::NotApplied));
        assert!(refused.message().contains("a is done: only a failed step is tried again"), "{refused}");
        let refused = other.control(&run, skip("nothing")).await.unwrap_err();
        assert!(refused.message().contains("has no step nothing"), "{refused}");
        // A program of next year asks for what this one has never heard of, and holds up nobody behind it.
        let strange = Request {
            token: RequestToken::new("next-year").unwrap(),
            control: json!({ "control": "teleport" }),
            at: bench.world.clock.wall(),
            by: OwnerId::new("next-year").unwrap(),
        };
        bench.journal.submit(&run, strange).await.unwrap();
        other.control(&run, pause()).await.unwrap();
        other.control(&run, resume()).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed);
    let answers = answers(&bench).await;
    assert_eq!(answers.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);
    assert!(answers[2].1.as_ref().unwrap().contains("does not know what is asked"), "{answers:?}");
    assert_eq!(answers[3..], [(4, None), (5, None)]);
    assert_eq!(heard().iter().filter(|line| *line == "said").count(), 3, "those who watch hear of it, too");
}

#[tokio::test]
async fn two_who_ask_at_once_are_both_answered_in_the_order_of_the_inbox() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let (holder, second, third) =
        (bench.engine(), bench.builder("engine-2").build(), bench.builder("engine-3").build());
    let run = run_id();
    let people = async {
        sleep(&bench, 5).await;
        let (one, two) = tokio::join!(second.control(&run, pause()), third.control(&run, pause()));
        one.unwrap();
        two.unwrap();
        third.control(&run, resume()).await.unwrap();
    };
    let (view, ()) = bench.drive(async { tokio::join!(holder.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed);
    assert_eq!(answers(&bench).await, [(1, None), (2, None), (3, None)]);
    let paused = records(&bench).await.iter().filter(|r| matches!(r.entry, Entry::Paused { .. })).count();
    assert_eq!(paused, 1, "the second pause found the run paused");
}

#[tokio::test]
async fn what_nobody_answers_stays_and_is_answered_by_whoever_comes_next() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    // A process that holds the run, and does nothing any more.
    let stuck = bench.journal.acquire(&run_id(), &OwnerId::new("stuck").unwrap(), Duration::from_secs(600)).await;
    let other = bench.builder("engine-2").answer_within(Duration::from_secs(30)).build();
    let run = run_id();
    let token = new_token();
    let error = bench.drive(other.ask(&run, token.clone(), &cancel())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(error.message().contains("is held by stuck") && error.message().contains("left in the inbox"), "{error}");
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(30));
    bench.journal.release(stuck.unwrap()).await.unwrap();
    // Whoever takes the run up obeys before it does anything else.
    let view = bench.drive(bench.engine().run(&run)).await.unwrap();
    assert_eq!(view.state(), RunState::Cancelled);
    assert!(bench.world.effects().is_empty());
    // Asked again in the same words, it is the same request, and that was granted.
    bench.drive(other.ask(&run, token, &cancel())).await.unwrap();
    assert_eq!(answers(&bench).await, [(1, None)]);
    // Another one comes too late.
    let error = bench.drive(other.ask(&run, new_token(), &pause())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::PreconditionFailed);
    assert!(error.message().contains("ended before it answered"), "{error}");
}

#[tokio::test]
async fn whoever_asks_answers_itself_once_the_holder_is_gone() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    bench.journal.acquire(&run_id(), &OwnerId::new("dead").unwrap(), Duration::from_secs(20)).await.unwrap();
    let other = bench.builder("engine-2").answer_within(Duration::from_secs(60)).build();
    bench.drive(other.control(&run_id(), pause())).await.unwrap();
    assert!(bench.world.clock.monotonic().since_origin() < Duration::from_secs(23));
    assert_eq!(answers(&bench).await, [(1, None)]);
    assert_eq!(other.view(&run_id()).await.unwrap().state(), RunState::PausedByOperator);
    // It has let go of the run: what is to be written now is written at once, and asks nobody.
    bench.drive(bench.builder("engine-3").build().control(&run_id(), resume())).await.unwrap();
    assert_eq!(answers(&bench).await, [(1, None)]);
    assert_eq!(bench.drive(bench.engine().run(&run_id())).await.unwrap().state(), RunState::Completed);
}

#[tokio::test]
async fn a_run_that_nobody_holds_answers_its_inbox_before_it_takes_anything_else() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let asked = |token: &str, control: &Control| Request {
        token: RequestToken::new(token).unwrap(),
        control: serde_json::to_value(control).unwrap(),
        at: bench.world.clock.wall(),
        by: OwnerId::new("asker").unwrap(),
    };
    bench.journal.submit(&run_id(), asked("t-1", &skip("a"))).await.unwrap();
    bench.journal.submit(&run_id(), asked("t-2", &pause())).await.unwrap();
    bench.builder("engine-2").build().control(&run_id(), resume()).await.unwrap();
    assert_eq!(answers(&bench).await, [(1, None), (2, None)]);
    let view = bench.drive(bench.engine().run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(bench.world.effects(), ["on b"]);
}

#[tokio::test]
async fn an_inbox_that_cannot_be_read_loses_no_run_and_is_told_of_once() {
    let bench = Bench::new();
    create(&bench, two_steps(&bench)).await;
    let (sink, mut heard) = watch();
    let mute = Arc::new(CrashJournal::without_inbox(bench.journal.clone()));
    let engine = Engine::builder(mute, bench.world.registry(), bench.world.shared_clock()).events(sink).build();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(heard().iter().filter(|line| *line == "said").count(), 1);
}

/// However the engine dies between hearing of a request and having written the answer, each is answered once.
#[tokio::test]
async fn every_request_is_answered_once_wherever_the_engine_dies() {
    for death in DEATHS {
        for n in 1..16 {
            let told = format!("{death:?} at append {n}");
            let bench = Bench::new();
            bench.world.block("a", Some("somebody is at it"));
            let act = TurnOn(bench.world.clone());
            let mut plan = builder();
            plan.step("a", &act, &params("a", 0));
            plan.step("b", &act, &params("b", 20_000));
            plan.step("c", &act, &params("c", 0)).after("b").after("a");
            plan.step("d", &act, &params("d", 0)).after("c");
            create(&bench, plan).await;
            let journal = Arc::new(CrashJournal::new(bench.journal.clone(), n, death));
            let engine = |journal, owner: &str| {
                Engine::builder(journal, bench.world.registry(), bench.world.shared_clock())
                    .owner(OwnerId::new(owner).unwrap())
                    .patience(Duration::from_secs(60))
                    .build()
            };
            let run = run_id();
            let asker = bench.builder("asker").answer_within(Duration::from_secs(600)).build();
            let people = async {
                // Whatever died meanwhile: the step has failed, and the run waits.
                while asker.view(&run).await.unwrap().state() != RunState::PausedByFailure {
                    assert!(bench.world.clock.monotonic().since_origin() < Duration::from_secs(3_600), "{told}");
                    sleep(&bench, 1).await;
                }
                bench.world.block("a", None);
                for control in [pause(), retry("a"), skip("d"), resume()] {
                    asker.ask(&run, new_token(), &control).await.unwrap();
                    sleep(&bench, 2).await;
                }
            };
            let engines = async {
                let first = engine(Arc::clone(&journal) as _, "first");
                let survived = tokio::select! {
                    biased;
                    view = first.run(&run) => Some(view.unwrap()),
                    () = journal.dead() => None,
                };
                if survived.is_none_or(|view| !view.state().is_end()) {
                    drop(first);
                    engine(Arc::new(bench.journal.clone()) as _, "second").run(&run).await.unwrap();
                }
            };
            bench.drive(async { tokio::join!(people, engines) }).await;
            let view = asker.view(&run).await.unwrap();
            assert_eq!(view.state(), RunState::CompletedWithExceptions, "{told}");
            let answers = answers(&bench).await;
            assert_eq!(answers, [(1, None), (2, None), (3, None), (4, None)], "{told}");
            let records = records(&bench).await;
            let count = |what: fn(&Entry) -> bool| records.iter().filter(|record| what(&record.entry)).count();
            assert_eq!(count(|e| matches!(e, Entry::Paused { who: Some(_), .. })), 1, "{told}");
            assert_eq!(count(|e| matches!(e, Entry::RetryRequested { .. })), 1, "{told}");
            assert_eq!(count(|e| matches!(e, Entry::SkipRequested { .. })), 1, "{told}");
            assert_eq!(count(|e| matches!(e, Entry::Resumed { .. })), 1, "{told}");
            let mut effects = bench.world.effects();
            effects.sort();
            assert_eq!(effects, ["on a", "on b", "on c"], "{told}");
        }
    }
}

#[tokio::test]
async fn a_run_that_waits_with_nobody_near_does_not_wait_in_a_loop() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("promote", &Promote(bench.world.clone()), &params("db", 0)).gate("no way back");
    create(&bench, plan).await;
    let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::WaitingForApproval);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::ZERO);
    // Nobody holds it by now: the approval is written at once.
    approve(&bench.builder("engine-2").build()).await.unwrap();
    assert_eq!(bench.drive(engine.run(&run_id())).await.unwrap().state(), RunState::Completed);
}
