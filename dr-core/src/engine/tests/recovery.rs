//! Health after the last step, the recovery time, what was lost, and what stands of a drill.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::json;

use super::world::{Bench, Promote, TurnOn, Wrong, builder, params, run_id, step_id};
use crate::{
    engine::{
        ApplicationHealth, Control, Engine, HealthReading, HealthSource, NewRun, OnPause, Rpo, RunState, RunView,
    },
    error::{Error, ErrorKind, Result},
    journal::{Entry, HealthNews, Intent, Journal as _, Outcome, Record, RunEnd, Seq},
    model::{Epoch, Objectives, OwnerId},
    plan::{GoalKind, Inventory, Phase, Plan, PlanBuilder, RecoveryGoal},
    step::{LagSample, RpoEvidence},
    time::{Clock as _, ManualClock, Timestamp},
};

fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Health that changes at given seconds of the clock.
#[derive(Debug)]
struct Lamp {
    clock: ManualClock,
    changes: BTreeMap<u64, Result<ApplicationHealth, &'static str>>,
    looks: Mutex<u32>,
}

#[async_trait]
impl HealthSource for Lamp {
    async fn look(&self, _: &Plan) -> Result<HealthReading> {
        *self.looks.lock().unwrap() += 1;
        let now = self.clock.monotonic().since_origin().as_secs();
        let (_, last) = self.changes.range(..=now).next_back().unwrap();
        match last {
            Ok(health) => Ok(HealthReading { health: *health, why: format!("{health:?} at {now}") }),
            Err(why) => Err(Error::new(ErrorKind::Unavailable, *why)),
        }
    }
}

fn plan(bench: &Bench) -> PlanBuilder {
    let mut plan = builder();
    plan.recovery(RecoveryGoal { stays: s(30), within: s(300) });
    plan.step("shift", &TurnOn(bench.world.clone()), &params("shift", 20_000));
    plan
}

fn engine(bench: &Bench, changes: &[(u64, Result<ApplicationHealth, &'static str>)]) -> (Engine, Arc<Lamp>) {
    let lamp = Arc::new(Lamp {
        clock: bench.world.clock.clone(),
        changes: changes.iter().cloned().collect(),
        looks: Mutex::default(),
    });
    let engine = bench.builder("engine-1").health(lamp.clone()).on_pause(OnPause::Return).build();
    (engine, lamp)
}

async fn records(bench: &Bench) -> Vec<Record> {
    use futures::TryStreamExt as _;
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

use ApplicationHealth::{Green, Red};

#[tokio::test]
async fn a_run_ends_when_health_is_green_and_has_stayed_so() {
    let bench = Bench::new();
    let changes = [(0, Ok(Red)), (25, Ok(Green)), (40, Ok(Red)), (50, Err("no route")), (60, Ok(Green))];
    let (engine, lamp) = engine(&bench, &changes);
    engine.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
    let watched = async {
        bench.world.clock.sleep(s(45)).await;
        let view = engine.view(&run_id()).await.unwrap();
        assert_eq!(view.state(), RunState::MonitoringHealth);
        assert_eq!(view.recovery_time(), None, "it was green, and is no more");
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), watched) }).await;
    let view = view.unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let time = view.recovery_time().unwrap();
    assert_eq!((time.execution, time.until_green, time.total()), (s(20), s(40), s(60)));
    assert!(time.met());
    assert_eq!(view.monitoring().unwrap().relapses, 1);
    assert_eq!(bench.world.clock.monotonic().since_origin(), s(90), "it has to stay green for half a minute");
    assert!(view.ended().unwrap().1.contains("recovered in 60 s"), "{:?}", view.ended());
    let news: Vec<HealthNews> = records(&bench)
        .await
        .into_iter()
        .filter_map(|record| match record.entry {
            Entry::Health { news, .. } => Some(news),
            _ => None,
        })
        .collect();
    use HealthNews::{Stayed, Unknown, Watched};
    assert_eq!(
        news,
        [
            Watched,
            HealthNews::Red,
            HealthNews::Green,
            HealthNews::Red,
            Unknown,
            HealthNews::Green,
            Stayed { since: s(60) }
        ],
        "each change once, whatever the number of looks"
    );
    assert!(*lamp.looks.lock().unwrap() > 60);
}

#[tokio::test]
async fn a_recovery_that_takes_longer_than_the_objective_misses_it() {
    let bench = Bench::new();
    let (engine, _) = engine(&bench, &[(0, Ok(Red)), (301, Ok(Green))]);
    let mut plan = plan(&bench);
    plan.recovery(RecoveryGoal { stays: s(5), within: s(600) });
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    let time = view.recovery_time().unwrap();
    assert_eq!((view.state(), time.total(), time.objective), (RunState::Completed, s(301), s(300)));
    assert!(!time.met());
}

#[tokio::test]
async fn an_application_that_stays_red_makes_the_run_fail() {
    let bench = Bench::new();
    let (engine, _) = engine(&bench, &[(0, Ok(Red))]);
    engine.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Failed);
    assert_eq!(bench.world.clock.monotonic().since_origin(), s(320));
    assert_eq!(view.recovery_time(), None);
    let summary = view.ended().unwrap().1;
    assert!(summary.contains("health did not stay green for 30 s within 300 s: Red at"), "{summary}");
    assert_eq!(bench.world.effects(), ["on shift"], "nothing is taken back: the plan did what it was to do");
}

#[tokio::test]
async fn an_engine_that_takes_over_begins_to_watch_anew() {
    let bench = Bench::new();
    let (first, _) = engine(&bench, &[(0, Ok(Green))]);
    first.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
    let run = run_id();
    bench
        .drive(async {
            tokio::select! {
                _ = first.run(&run) => panic!("it was to be killed"),
                () = bench.world.clock.sleep(s(40)) => {}
            }
        })
        .await;
    let changes = BTreeMap::from([(0, Ok(Green))]);
    let lamp = Lamp { clock: bench.world.clock.clone(), changes, looks: Mutex::default() };
    let second = bench.builder("engine-2").health(Arc::new(lamp)).patience(s(600)).build();
    let view = bench.drive(second.run(&run)).await.unwrap();
    let time = view.recovery_time().unwrap();
    assert_eq!(time.execution, s(20));
    assert!(time.until_green > s(20), "what nobody saw cannot be said to have lasted: {time:?}");
    assert_eq!(bench.world.effects(), ["on shift"]);
}

#[tokio::test]
async fn a_goal_that_nobody_can_watch_is_refused_before_anything_is_done() {
    let bench = Bench::new();
    let engine = bench.engine();
    engine.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
    let error = engine.run(&run_id()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(bench.world.effects().is_empty());
}

#[tokio::test]
async fn a_run_can_be_cancelled_while_health_is_watched() {
    let bench = Bench::new();
    let (engine, _) = engine(&bench, &[(0, Ok(Red))]);
    engine.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
    let people = async {
        bench.world.clock.sleep(s(60)).await;
        let (who, why) = ("Ada".to_owned(), "it does not help".to_owned());
        engine.control(&run_id(), Control::Cancel { who, why, compensate: true }).await.unwrap();
    };
    let run = run_id();
    let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), people) }).await;
    assert_eq!(view.unwrap().state(), RunState::Cancelled);
    assert_eq!(bench.world.effects(), ["on shift", "off shift"]);
}

/// A view of a plan whose promotions came out like this.
fn promoted(irreversible: &[bool], outputs: &[serde_json::Value]) -> RunView {
    let bench = Bench::new();
    let mut plan = builder();
    for (n, irreversible) in irreversible.iter().enumerate() {
        let (id, params) = (format!("promote-{n}"), params("x", 0));
        match irreversible {
            true => plan.step(&id, &Promote(bench.world.clone()), &params).phase(Phase::Promote),
            false => plan.step(&id, &TurnOn(bench.world.clone()), &params).phase(Phase::Promote),
        };
    }
    let created = Entry::RunCreated {
        plan: Box::new(plan.build().unwrap()),
        inventory: Box::new(Inventory::default()),
        findings: Vec::new(),
        waivers: Vec::new(),
        unattended: None,
        by: OwnerId::new("test").unwrap(),
    };
    let mut view = RunView::new(run_id(), Seq(1), Timestamp::UNIX_EPOCH, &created).unwrap();
    let mut apply = |entry: Entry| {
        let seq = view.seq().next();
        view.apply(seq, Timestamp::UNIX_EPOCH, Epoch(1), &entry);
    };
    for (n, output) in outputs.iter().enumerate() {
        let step = step_id(&format!("promote-{n}"));
        apply(Entry::StepIntent(Intent { step: step.clone(), attempt: 1, before: None, params: json!(null) }));
        let outcome = Outcome::Done { output: output.clone(), already: false };
        apply(Entry::StepOutcome { step, attempt: 1, outcome });
    }
    view
}

fn lost(lag_ms: u64, age_s: i64) -> serde_json::Value {
    let at = Timestamp::from_millis(1_000_000 - age_s * 1000);
    let sample = LagSample { lag: Duration::from_millis(lag_ms), at };
    json!({ "rpo": RpoEvidence::new(Some(sample), Timestamp::from_millis(1_000_000)) })
}

#[test]
fn what_was_lost_is_the_worst_promotion_and_unknown_as_soon_as_one_is() {
    let worst = promoted(&[true, true], &[lost(900, 10), lost(100, 45)]).rpo();
    let expected = Rpo::Measured { step: step_id("promote-1"), lag: Duration::from_millis(100), sample_age: s(45) };
    assert_eq!(worst, expected);
    assert_eq!(worst.at_most(), Some(Duration::from_millis(45_100)));
    assert!(worst.meets(s(60)) && !worst.meets(s(45)));

    let unknown = |outputs: &[serde_json::Value]| {
        let rpo = promoted(&[true, true], outputs).rpo();
        assert_eq!(rpo.at_most(), None, "unknown is not zero: {rpo:?}");
        assert!(!rpo.meets(Duration::MAX));
        let Rpo::Unknown { why } = rpo else { panic!("{rpo:?}") };
        why
    };
    let silent = json!({ "rpo": RpoEvidence::new(None, Timestamp::from_millis(1_000_000)) });
    assert!(unknown(&[lost(900, 10), silent]).contains("no lag was told"));
    assert!(unknown(&[lost(900, 10), json!({})]).contains("promote-1 says nothing"));
    assert!(unknown(&[lost(900, 10), json!({ "rpo": 0 })]).contains("cannot be read"));
    assert!(unknown(&[]).contains("nothing was promoted"));
}

#[test]
fn a_switchover_loses_nothing() {
    assert_eq!(promoted(&[false], &[json!({ "writer": "b" })]).rpo(), Rpo::NoLoss);
    assert!(matches!(promoted(&[false, true], &[json!({}), lost(900, 10)]).rpo(), Rpo::Measured { .. }));
}

#[tokio::test]
async fn a_drill_that_runs_out_of_time_lists_what_stands() {
    for kind in [GoalKind::Drill, GoalKind::Failover] {
        let bench = Bench::new();
        let mut plan = practice(kind);
        plan.deadline(s(60));
        plan.step("scale", &TurnOn(bench.world.clone()), &params("scale", 0));
        plan.step("slow", &TurnOn(bench.world.clone()), &params("slow", 600_000)).after("scale");
        let view = bench.run(plan).await;
        let (end, _) = view.ended().unwrap();
        let left: Vec<&str> = view.effects_left().iter().map(|effect| effect.step.as_str()).collect();
        match kind {
            GoalKind::Drill => assert_eq!((end, left), (RunEnd::Dirty, vec!["scale", "slow"])),
            _ => assert_eq!((end, left), (RunEnd::TimedOut, vec![])),
        }
    }
}

/// An empty plan of a kind that leaves the world as it was.
fn practice(kind: GoalKind) -> PlanBuilder {
    let mut goal = builder().goal().clone();
    goal.kind = kind;
    PlanBuilder::new("shop".parse().unwrap(), goal, Objectives { rto: s(300), rpo: s(60) })
}

#[tokio::test]
async fn a_drill_whose_restoration_was_skipped_is_dirty() {
    let bench = Bench::new();
    let mut plan = practice(GoalKind::Rehearsal);
    plan.step("scale", &TurnOn(bench.world.clone()), &params("scale", 0));
    plan.step("scale-back", &TurnOn(bench.world.clone()), &params("back", 0)).after("scale").phase(Phase::Restore);
    let engine = bench.engine();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let (who, why) = ("Ada".to_owned(), "no time".to_owned());
    engine.control(&run_id(), Control::Skip { step: step_id("scale-back"), who, why }).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Dirty);
    assert_eq!(view.effects_left()[0].step, *"scale-back");
    assert!(view.effects_left()[0].why.contains("Ada: no time"), "{:?}", view.effects_left());
}

#[tokio::test]
async fn a_drill_that_goes_on_without_a_step_in_doubt_names_it() {
    for (wrong, left) in [(Wrong::BlackHole, true), (Wrong::Refused, false)] {
        let bench = Bench::new();
        bench.world.wrong("promote", &[wrong; 20]);
        let mut plan = practice(GoalKind::Drill);
        // Enough for every attempt to take its whole time.
        plan.deadline(s(86_400));
        plan.step("promote", &TurnOn(bench.world.clone()), &params("promote", 0));
        plan.step("after", &TurnOn(bench.world.clone()), &params("after", 0)).after("promote");
        let engine = bench.builder("engine-1").on_pause(OnPause::Return).build();
        let new = NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "a world of switches");
        engine.create(new).await.unwrap();
        let view = bench.drive(engine.run(&run_id())).await.unwrap();
        assert_eq!(view.state(), RunState::PausedByFailure);
        let (who, why) = ("Ada".to_owned(), "go on".to_owned());
        engine.control(&run_id(), Control::Skip { step: step_id("promote"), who, why }).await.unwrap();
        let view = bench.drive(engine.run(&run_id())).await.unwrap();
        let named: Vec<&str> = view.effects_left().iter().map(|effect| effect.step.as_str()).collect();
        let (end, summary) = view.ended().unwrap();
        if left {
            assert_eq!((end, named), (RunEnd::Dirty, vec!["promote"]), "{summary}");
            assert!(summary.contains("promote (which may have been done, or be done yet)"), "{summary}");
        } else {
            assert_eq!((end, named), (RunEnd::CompletedWithExceptions, vec![]), "{summary}");
        }
    }
}
