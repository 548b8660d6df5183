//! Runs in which nothing goes wrong.

use std::time::Duration;

use serde_json::json;

use super::world::{Bench, Params, Promote, TurnOn, builder, params, run_id, watch};
use crate::{
    engine::{NewRun, RunState, RunView, StepState},
    error::ErrorKind,
    journal::{Entry, Journal, Seq, audit, verify},
    model::RunId,
    plan::OUTPUT_KEY,
    time::Clock as _,
    validation::{Finding, Severity},
};

async fn records(bench: &Bench) -> Vec<crate::journal::Record> {
    use futures::TryStreamExt as _;
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

#[tokio::test]
async fn independent_steps_overlap_and_the_run_is_as_long_as_its_critical_path() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 30_000));
    plan.step("b", &act, &params("b", 50_000));
    plan.step("c", &act, &params("c", 20_000)).after("a");
    plan.step("d", &act, &params("d", 5_000)).after("b").after("c");
    let view = bench.run(plan).await;
    assert_eq!(view.state(), RunState::Completed);
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(55));
    assert_eq!(bench.world.effects(), ["on a", "on b", "on c", "on d"]);
}

#[tokio::test]
async fn a_step_costs_two_appends_and_the_records_chain() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    for n in 0..10 {
        let draft = plan.step(&format!("s{n}"), &act, &params(&format!("k{n}"), 100));
        if n > 0 {
            draft.after(&format!("s{}", n - 1));
        }
    }
    bench.run(plan).await;
    let records = records(&bench).await;
    // Created, taken up, two a step, ended; serial steps share no append, so each record here is one.
    assert_eq!(records.len(), 1 + 1 + 2 * 10 + 1);
    assert_eq!(verify(&records), Ok(()));
    assert_eq!(audit(&bench.journal, &run_id()).await.unwrap().records, 23);
    assert!(matches!(records.last().unwrap().entry, Entry::RunEnded { .. }));
    assert!(bench.journal.open_runs().await.unwrap().is_empty());
}

#[tokio::test]
async fn outputs_reach_later_steps_and_before_images_the_failback() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("first", &act, &params("a", 0));
    let input = json!({ "from": { OUTPUT_KEY: "first" } });
    plan.step("second", &act, &Params { key: "b".to_owned(), takes: 0, input });
    plan.step("third", &act, &params("c", 0));
    bench.world.turn_on("c");
    let view = bench.run(plan).await;
    assert_eq!(view.step("second").unwrap().params.as_ref().unwrap()["input"], json!({ "from": "a is on" }));
    let StepState::Done { already, .. } = view.step("third").unwrap().state else { panic!("{view:?}") };
    assert!(already);
    // What was on already is not this run's change.
    let images: Vec<_> = view.before_images().0.into_iter().map(|i| (i.step.to_string(), i.before)).collect();
    assert_eq!(images, [("first".to_owned(), json!(false)), ("second".to_owned(), json!(false))]);
    // The journal alone says the same to another process.
    assert_eq!(RunView::load(&bench.journal, &run_id()).await.unwrap().before_images(), view.before_images());
}

#[tokio::test]
async fn watchers_hear_every_step_in_order() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 2_000));
    plan.step("b", &act, &params("b", 0)).after("a");
    bench.world.turn_on("b");
    let (sink, mut heard) = watch();
    let engine = bench.builder("engine-1").events(sink).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(
        heard(),
        [
            "run-started",
            "step-started a #1",
            "step-completed a 2s",
            "step-started b #1",
            "step-completed b 0ns already",
            "run-ended failover (ungraceful) from us-east-1 to eu-west-1: every step is done",
        ]
    );
}

#[tokio::test]
async fn an_ended_run_is_told_and_not_run_again() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 0));
    let first = bench.run(plan).await;
    let again = bench.drive(bench.engine().run(&run_id())).await.unwrap();
    assert_eq!(again.state(), RunState::Completed);
    assert_eq!(again.seq(), first.seq());
    assert_eq!(bench.world.count("on a"), 1);
}

#[tokio::test]
async fn a_run_can_be_worked_on_by_any_thread() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let bench = Bench::new();
    let (engine, run) = (bench.engine(), run_id());
    drop(send(engine.run(&run)));
    drop(send(engine.create(NewRun::new(run.clone(), {
        let mut plan = builder();
        plan.step("a", &TurnOn(bench.world.clone()), &params("a", 0));
        plan.build().unwrap()
    }))));
}

#[tokio::test]
async fn a_run_that_nobody_created_is_not_found() {
    let bench = Bench::new();
    let error = bench.drive(bench.engine().run(&run_id())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn creation_refuses_what_lint_blocks_what_nobody_approves_and_a_second_open_run() {
    let bench = Bench::new();
    let engine = bench.engine();
    let plan = |id: &str| {
        let mut plan = builder();
        plan.step(id, &TurnOn(bench.world.clone()), &params(id, 0));
        plan.build().unwrap()
    };
    let finding = Finding {
        severity: Severity::Error,
        subject: "a".to_owned(),
        check: "E05 traffic-before-data".to_owned(),
        message: "traffic moves before the data".to_owned(),
        evidence: json!(null),
        remedy: "promote first".to_owned(),
    };
    let blocked = NewRun::new(run_id(), plan("a")).findings(vec![finding]);
    let error = engine.create(blocked.clone()).await.unwrap_err();
    assert!(error.message().contains("E05") && error.message().contains("promote first"), "{error}");

    let mut hard = builder();
    hard.step("promote", &Promote(bench.world.clone()), &params("p", 0));
    let error = engine.create(NewRun::new(run_id(), hard.build().unwrap())).await.unwrap_err();
    assert!(error.message().contains("promote"), "{error}");
    assert!(bench.journal.open_runs().await.unwrap().is_empty());

    // A waiver is lint's to accept: it then tells the finding as information.
    let mut waived = blocked.findings;
    waived[0].severity = Severity::Info;
    engine.create(NewRun::new(run_id(), plan("a")).findings(waived)).await.unwrap();
    let second = RunId::new("run-2").unwrap();
    let error = engine.create(NewRun::new(second.clone(), plan("b"))).await.unwrap_err();
    assert!(error.message().contains("run-1"), "{error}");
    bench.drive(engine.run(&run_id())).await.unwrap();
    engine.create(NewRun::new(second, plan("b"))).await.unwrap();
}

#[tokio::test]
async fn a_creation_whose_reply_was_lost_can_be_repeated_and_creates_once() {
    let bench = Bench::new();
    let engine = bench.engine();
    let plan = |id: &str| {
        let mut plan = builder();
        plan.step(id, &TurnOn(bench.world.clone()), &params(id, 0));
        plan.build().unwrap()
    };
    for _ in 0..2 {
        engine.create(NewRun::new(run_id(), plan("a"))).await.unwrap();
    }
    let other = engine.create(NewRun::new(run_id(), plan("b"))).await.unwrap_err();
    assert_eq!(other.kind(), ErrorKind::Conflict);
    assert!(other.message().contains("of another plan"), "{other}");
    bench.drive(engine.run(&run_id())).await.unwrap();
    // Also when it has ended meanwhile: the name is taken, by the same thing.
    engine.create(NewRun::new(run_id(), plan("a"))).await.unwrap();
    assert_eq!(bench.world.effects(), ["on a"]);
}

#[tokio::test]
async fn a_plan_with_a_step_that_this_program_does_not_know_is_not_begun() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("a", &TurnOn(bench.world.clone()), &params("a", 0));
    plan.steps_mut()[0].version = 7;
    bench.engine().create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let error = bench.drive(bench.engine().run(&run_id())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("version 7"), "{error}");
}

#[tokio::test]
async fn a_deadline_stops_what_is_under_way_and_ends_the_run() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.deadline(Duration::from_secs(60));
    plan.step("a", &act, &params("a", 10_000));
    plan.step("b", &act, &params("b", 900_000)).after("a").timeout(Duration::from_secs(3600));
    plan.step("c", &act, &params("c", 0)).after("b");
    let view = bench.run(plan).await;
    assert_eq!(view.state(), RunState::TimedOut);
    assert!(view.ended().unwrap().1.contains("not done: b, c"), "{:?}", view.ended());
    // The step was given a moment to end by itself.
    assert_eq!(bench.world.clock.monotonic().since_origin(), Duration::from_secs(70));
}

#[tokio::test]
async fn notes_are_kept_while_a_run_works_and_while_it_waits() {
    let bench = Bench::new();
    let engine = bench.engine();
    let mut plan = builder();
    plan.step("a", &TurnOn(bench.world.clone()), &params("a", 10_000));
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    engine.note(&run_id(), "verdict", json!("unhealthy")).await.unwrap();
    let note = async {
        bench.world.clock.sleep(Duration::from_secs(5)).await;
        engine.note(&run_id(), "lag", json!(0.25)).await.unwrap();
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), note) }).await;
    let view = view.unwrap();
    let topics: Vec<_> = view.notes().iter().map(|note| note.topic.as_str()).collect();
    assert_eq!(topics, ["verdict", "lag"]);
    assert_eq!(view.state(), RunState::Completed);
}
