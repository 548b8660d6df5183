//! A run that was started on one machine, and is ended by another.

use std::{
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use dr_aws::s3_journal::S3Journal;
use dr_core::{
    engine::{Engine, NewRun, RunState, RunView},
    error::{ErrorKind, Result},
    journal::{Entry, Journal as _, audit},
    model::{ApplicationId, Objectives, Plane},
    plan::{Call, Goal, GoalKind, Mode, Phase, Plan, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
    time::ManualClock,
};

use super::{all, machine, owner, run, with_bucket};
use crate::stage::{Stage, east, west};

/// The world that both machines act on: what was done to it, in order.
#[derive(Clone, Debug, Default)]
struct World(Arc<Mutex<Vec<String>>>);

impl World {
    fn effects(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Turns something on; it takes ten seconds until whoever asked knows that it is on.
#[derive(Clone, Debug)]
struct TurnOn(World);

#[async_trait]
impl Step for TurnOn {
    const KIND: &'static str = "test.turn_on";
    type Params = String;
    type Output = String;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, _: &String) -> Vec<Call> {
        vec![Call {
            operation: "test:TurnOn".into(),
            plane: Plane::Data,
            endpoints: vec![west()],
            mutates: true,
            args: Default::default(),
            manual: "turn it on".to_owned(),
        }]
    }

    async fn observe(&self, _: &StepCx, what: &String) -> Result<Observed<String>> {
        let on = self.0.effects().contains(what);
        Ok(if on { Observed::Done { output: what.clone() } } else { Observed::NotStarted })
    }

    async fn execute(&self, cx: &StepCx, what: &String) -> Result<String> {
        self.0.0.lock().unwrap().push(what.clone());
        cx.wait(Duration::from_secs(10)).await?;
        Ok(what.clone())
    }

    async fn compensate(&self, _: &StepCx, what: &String, _: Option<&String>) -> Result<()> {
        self.0.0.lock().unwrap().retain(|there| there != what);
        Ok(())
    }
}

fn plan(step: &TurnOn) -> Plan {
    let goal = Goal { kind: GoalKind::Failover, from: east(), to: west(), mode: Mode::Ungraceful };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let mut plan = PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives);
    plan.step("fence", step, &"fence".to_owned()).phase(Phase::Fence);
    plan.step("scale", step, &"scale".to_owned()).phase(Phase::Scale);
    plan.step("shift", step, &"shift".to_owned()).phase(Phase::Shift).after("fence").after("scale");
    plan.step("confirm", step, &"confirm".to_owned()).phase(Phase::Confirm).after("shift");
    plan.build().unwrap()
}

fn engine(name: &str, journal: S3Journal, step: &TurnOn, clock: &ManualClock) -> Engine {
    let mut steps = StepRegistry::new();
    steps.register(erase(step.clone())).unwrap();
    Engine::builder(Arc::new(journal), steps, Arc::new(clock.clone()))
        .owner(owner(name))
        .lease(Duration::from_secs(30))
        .patience(Duration::from_secs(120))
        .build()
}

/// Polls `work` until it is done or `enough`, and moves the clock to the next sleeper whenever nothing else can happen.
async fn drive<T>(clock: &ManualClock, work: impl Future<Output = T>, mut enough: impl FnMut() -> bool) -> Option<T> {
    let mut work = std::pin::pin!(work);
    loop {
        for _ in 0..256 {
            if let Poll::Ready(done) = futures::poll!(&mut work) {
                return Some(done);
            }
            if enough() {
                return None;
            }
            tokio::task::yield_now().await;
        }
        assert!(clock.advance_to_next(), "nothing can happen any more");
    }
}

async fn ended(clock: &ManualClock, work: impl Future<Output = Result<RunView>>) -> RunView {
    drive(clock, work, || false).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_run_is_adopted_by_another_machine_when_its_lease_lapses_and_nothing_is_done_twice() {
    // The first machine dies after each of the effects, before it has told anybody of it.
    for effects in 1..=4 {
        let stage = with_bucket(Stage::in_process());
        let (clock, step) = (&stage.clock, TurnOn(World::default()));
        let first = engine("machine-1", machine(&stage), &step, clock);
        drive(clock, first.create(NewRun::new(run(), plan(&step))), || false).await.unwrap().unwrap();
        let died = drive(clock, first.run(&run()), || step.0.effects().len() >= effects).await;
        assert!(died.is_none(), "it dies before the run is over");

        let second = engine("machine-2", machine(&stage), &step, clock);
        assert_eq!(drive(clock, second.open_runs(), || false).await.unwrap().unwrap(), [run()]);
        let view = ended(clock, second.run(&run())).await;
        assert_eq!(view.state(), RunState::Completed, "{view:?}");
        let mut done = step.0.effects();
        assert_eq!(done[2..], ["shift", "confirm"]);
        done.sort();
        assert_eq!(done, ["confirm", "fence", "scale", "shift"], "died after {effects}");

        let third = machine(&stage);
        let found = audit(&third, &run()).await.unwrap();
        let records = all(&third).await;
        assert_eq!(found.records, records.len() as u64);
        assert!(records.is_sorted_by_key(|record| record.epoch));
        let owners: Vec<_> = records
            .iter()
            .filter_map(|record| match &record.entry {
                Entry::EngineStarted { owner } => Some(owner.as_str()),
                _ => None,
            })
            .collect();
        assert_eq!(owners, ["machine-1", "machine-2"]);
        assert!(third.open_runs().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn a_machine_that_wakes_up_after_its_run_was_adopted_does_nothing_more() {
    let stage = with_bucket(Stage::in_process());
    let (clock, step) = (&stage.clock, TurnOn(World::default()));
    let first = engine("machine-1", machine(&stage), &step, clock);
    drive(clock, first.create(NewRun::new(run(), plan(&step))), || false).await.unwrap().unwrap();
    let id = run();
    let mut asleep = Box::pin(first.run(&id));
    // It runs until it has acted, and is then not looked after for a minute: a laptop lid, a stopped container.
    let woke = drive(clock, &mut asleep, || step.0.effects().len() == 2).await;
    assert!(woke.is_none());
    clock.advance(Duration::from_secs(60));
    let second = engine("machine-2", machine(&stage), &step, clock);
    let view = ended(clock, second.run(&run())).await;
    assert_eq!(view.state(), RunState::Completed);
    let records = all(&machine(&stage)).await;
    // It goes on where it stopped, and finds that nothing is its own any more.
    let stale = match drive(clock, asleep, || false).await.unwrap() {
        Ok(view) => view.state(),
        Err(error) => panic!("{error}"),
    };
    assert_eq!(stale, RunState::Held);
    assert_eq!(step.0.effects().len(), 4, "nothing was done twice");
    assert_eq!(all(&machine(&stage)).await, records, "nothing was written any more");
    let late = drive(clock, second.run(&run()), || false).await.unwrap();
    assert!(late.is_err() || late.unwrap().state() == RunState::Completed);
}

#[tokio::test]
async fn a_run_that_is_held_by_a_living_machine_is_not_adopted() {
    let stage = with_bucket(Stage::in_process());
    let (clock, step) = (&stage.clock, TurnOn(World::default()));
    let first = engine("machine-1", machine(&stage), &step, clock);
    drive(clock, first.create(NewRun::new(run(), plan(&step))), || false).await.unwrap().unwrap();
    let second = machine(&stage);
    let intruder = async {
        stage_sleep(clock, 15).await;
        second.acquire(&run(), &owner("machine-2"), Duration::from_secs(30)).await.unwrap_err()
    };
    let id = run();
    let both = async { futures::join!(first.run(&id), intruder) };
    let (view, refused) = drive(clock, both, || false).await.unwrap();
    assert_eq!(refused.kind(), ErrorKind::Conflict);
    assert!(refused.message().contains(" machine-1 "), "{refused}");
    assert_eq!(view.unwrap().state(), RunState::Completed);
}

async fn stage_sleep(clock: &ManualClock, seconds: u64) {
    use dr_core::time::Clock as _;
    clock.sleep(Duration::from_secs(seconds)).await;
}
