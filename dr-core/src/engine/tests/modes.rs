//! What a switch to ungraceful does to a run, a group and a step.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use super::world::{Bench, Params, TurnOn, World, Wrong, builder, params, run_id, step_id, watch};
use crate::{
    engine::{Control, Engine, GroupState, NewRun, OnPause, RunState, RunView, StepState},
    error::{Effect, Error, ErrorKind, Result, Retry},
    journal::Journal,
    model::{ApplicationId, Objectives, OwnerId},
    plan::{Call, Goal, Mode, PlanBuilder, Ungraceful},
    step::{Observed, Reversibility, Step, StepCx, erase},
};

/// Moves the writer: by agreement of both sides, or by force.
#[derive(Debug)]
struct Move(World);

#[async_trait]
impl Step for Move {
    const KIND: &'static str = "test.move";
    type Params = Params;
    type Output = String;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Irreversible
    }

    fn calls(&self, _: &Params) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, params: &Params) -> Result<Observed<String>> {
        Ok(if self.0.is_on(&params.key) { Observed::Done { output: "seen".to_owned() } } else { Observed::NotStarted })
    }

    async fn execute(&self, cx: &StepCx, params: &Params) -> Result<String> {
        if cx.mode() == Mode::Graceful {
            return Err(Error::new(ErrorKind::PreconditionFailed, "the old writer does not answer")
                .with_effect(Effect::NotApplied)
                .with_retry(Retry::Never));
        }
        self.0.turn_on(&params.key);
        Ok("forced".to_owned())
    }

    async fn compensate(&self, _: &StepCx, _: &Params, _: Option<&String>) -> Result<()> {
        Ok(())
    }
}

/// Waits until enough replicas are there; `takes` in a hundred ever are.
#[derive(Debug)]
struct Ready;

#[async_trait]
impl Step for Ready {
    const KIND: &'static str = "test.ready";
    type Params = Params;
    type Output = u64;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &Params) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, cx: &StepCx, params: &Params) -> Result<Observed<u64>> {
        let enough = cx.minimum_success().unwrap_or(100);
        Ok(if params.takes >= u64::from(enough) { Observed::Done { output: params.takes } } else { Observed::InFlight })
    }

    async fn execute(&self, _: &StepCx, _: &Params) -> Result<u64> {
        unreachable!("it only looks")
    }

    async fn compensate(&self, _: &StepCx, _: &Params, _: Option<&u64>) -> Result<()> {
        Ok(())
    }
}

fn graceful() -> PlanBuilder {
    let goal = Goal { mode: Mode::Graceful, ..builder().goal().clone() };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives)
}

async fn engine(bench: &Bench, plan: PlanBuilder) -> Engine {
    let mut steps = bench.world.registry();
    steps.register(erase(Move(bench.world.clone()))).unwrap();
    steps.register(erase(Ready)).unwrap();
    let journal: Arc<dyn Journal> = Arc::new(bench.journal.clone());
    let engine = Engine::builder(journal, steps, bench.world.shared_clock()).on_pause(OnPause::Return).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "switches")).await.unwrap();
    engine
}

async fn run(bench: &Bench, engine: &Engine) -> RunView {
    bench.drive(engine.run(&run_id())).await.unwrap()
}

fn ungraceful(part: Option<&str>) -> Control {
    Control::Ungraceful { step: part.map(step_id), who: "Ada".to_owned(), why: "the region is gone".to_owned() }
}

fn skipped(view: &RunView, step: &str) -> String {
    match &view.step(step).unwrap().state {
        StepState::Skipped { reason } => reason.clone(),
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_step_with_force_fails_gracefully_and_is_made_by_force_after_the_switch() {
    let bench = Bench::new();
    let mut plan = graceful();
    plan.step("move", &Move(bench.world.clone()), &params("writer", 0)).ungraceful(Ungraceful::Force);
    plan.step("shift", &TurnOn(bench.world.clone()), &params("dns", 0)).after("move");
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    engine.control(&run_id(), ungraceful(Some("move"))).await.unwrap();
    engine.control(&run_id(), ungraceful(Some("move"))).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::Completed);
    let step = view.step("move").unwrap();
    assert_eq!((step.attempts, step.output().unwrap().as_str()), (2, Some("forced")));
    assert!(step.ungraceful && !view.step("shift").unwrap().ungraceful, "no rule, no other mode");
}

#[tokio::test]
async fn a_step_without_a_rule_stays_graceful_in_an_ungraceful_plan() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("move", &Move(bench.world.clone()), &params("writer", 0));
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure);
    let error = engine.control(&run_id(), ungraceful(None)).await.unwrap_err();
    assert!(error.message().contains("has no rule for ungraceful mode"), "{error}");
    let error = engine.control(&run_id(), ungraceful(Some("ghost"))).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
}

#[tokio::test]
async fn a_plan_whose_goal_is_ungraceful_follows_its_rules_from_the_start() {
    let bench = Bench::new();
    bench.world.wrong("fence", &[Wrong::Never]);
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("fence", &act, &params("fence", 0)).ungraceful(Ungraceful::Skip);
    plan.step("freeze", &act, &params("freeze", 0)).ungraceful(Ungraceful::Skip);
    plan.step("move", &Move(bench.world.clone()), &params("writer", 0)).ungraceful(Ungraceful::Force).after("fence");
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert!(skipped(&view, "fence").contains("ungraceful, and it failed"), "{}", skipped(&view, "fence"));
    assert!(bench.world.is_on("freeze"), "what can be done is done");
    assert!(bench.world.is_on("writer"));
}

#[tokio::test]
async fn a_switch_passes_over_what_failed_and_what_has_not_begun() {
    let bench = Bench::new();
    bench.world.wrong("drain", &[Wrong::Never]);
    let act = TurnOn(bench.world.clone());
    let mut plan = graceful();
    plan.step("drain", &act, &params("drain", 0)).ungraceful(Ungraceful::Skip);
    plan.step("wait", &act, &params("wait", 0)).after("drain").ungraceful(Ungraceful::Skip);
    plan.step("shift", &act, &params("shift", 0)).after("wait");
    let (sink, mut heard) = watch();
    let journal: Arc<dyn Journal> = Arc::new(bench.journal.clone());
    let engine = Engine::builder(journal, bench.world.registry(), bench.world.shared_clock())
        .on_pause(OnPause::Return)
        .events(sink)
        .build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    run(&bench, &engine).await;
    engine.control(&run_id(), ungraceful(None)).await.unwrap();
    let before = engine.view(&run_id()).await.unwrap();
    for step in ["drain", "wait"] {
        assert_eq!(skipped(&before, step), "ungraceful, Ada: the region is gone");
    }
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::CompletedWithExceptions);
    assert_eq!(bench.world.effects(), ["on shift"]);
    let heard = heard();
    assert!(heard.contains(&"mode-switched".to_owned()) && heard.contains(&"run-resumed".to_owned()), "{heard:?}");
}

#[tokio::test]
async fn an_attempt_that_is_under_way_sees_the_switch_at_once() {
    let bench = Bench::new();
    let mut plan = graceful();
    plan.step("ready", &Ready, &params("replicas", 85))
        .timeout(Duration::from_secs(600))
        .ungraceful(Ungraceful::MinimumSuccess { percent: 80 });
    let engine = engine(&bench, plan).await;
    let switching = async {
        bench.world.shared_clock().sleep(Duration::from_secs(30)).await;
        engine.control(&run_id(), ungraceful(None)).await.unwrap();
    };
    let id = run_id();
    let (view, ()) = bench.drive(async { futures::join!(engine.run(&id), switching) }).await;
    let view = view.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let step = view.step("ready").unwrap();
    assert_eq!((step.attempts, step.output()), (1, Some(&serde_json::json!(85))));
    let took = step.ended.unwrap().since(step.started.unwrap());
    assert!(took < Duration::from_secs(40), "{took:?}");
}

#[tokio::test]
async fn a_switch_survives_the_engine_that_took_it() {
    let bench = Bench::new();
    let mut plan = graceful();
    plan.step("hold", &TurnOn(bench.world.clone()), &params("hold", 60_000));
    plan.step("ready", &Ready, &params("replicas", 50))
        .after("hold")
        .ungraceful(Ungraceful::MinimumSuccess { percent: 50 });
    let first = engine(&bench, plan).await;
    let id = run_id();
    {
        let mut running = std::pin::pin!(first.run(&id));
        let dies = bench.world.shared_clock();
        let working = async {
            tokio::select! {
                biased;
                _ = &mut running => panic!("it takes a minute"),
                () = async {
                    dies.sleep(Duration::from_secs(10)).await;
                    first.control(&id, ungraceful(None)).await.unwrap();
                } => {}
            }
        };
        bench.drive(working).await;
    }
    let mut steps = bench.world.registry();
    steps.register(erase(Ready)).unwrap();
    let journal: Arc<dyn Journal> = Arc::new(bench.journal.clone());
    let second = Engine::builder(journal, steps, bench.world.shared_clock())
        .owner(OwnerId::new("engine-2").unwrap())
        .patience(Duration::from_secs(120))
        .build();
    let view = bench.drive(second.run(&id)).await.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    assert!(view.ungraceful("ready") && !view.ungraceful("hold"));
}

#[tokio::test]
async fn a_group_is_switched_with_its_members_and_nobody_else() {
    let bench = Bench::new();
    let mover = Move(bench.world.clone());
    let mut child = graceful();
    child.step("move", &mover, &params("orders", 0)).ungraceful(Ungraceful::Force);
    let child = child.build().unwrap();
    let mut plan = graceful();
    plan.child("orders", &child);
    plan.child("carts", &{
        let mut child = graceful();
        child.step("move", &mover, &params("carts", 0)).ungraceful(Ungraceful::Force);
        child.build().unwrap()
    });
    let engine = engine(&bench, plan).await;
    let view = run(&bench, &engine).await;
    assert_eq!(view.group("orders").unwrap().state, GroupState::Failed);
    engine.control(&run_id(), ungraceful(Some("orders"))).await.unwrap();
    let view = run(&bench, &engine).await;
    assert_eq!(view.state(), RunState::PausedByFailure, "the other child still waits for a decision");
    assert_eq!(view.group("orders").unwrap().state, GroupState::Done);
    assert_eq!(view.group("carts").unwrap().state, GroupState::Failed);
    engine.control(&run_id(), ungraceful(None)).await.unwrap();
    assert_eq!(run(&bench, &engine).await.state(), RunState::Completed);
}
