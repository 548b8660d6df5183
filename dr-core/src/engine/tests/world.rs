//! A world of named switches that steps turn on, with the ways in which a call can go wrong, on a manual clock.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::pin,
    sync::{Arc, Mutex},
    task::Poll,
    time::Duration,
};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    engine::{Engine, EngineBuilder, NewRun, RunView},
    error::{Effect, Error, ErrorKind, Result, Retry},
    event::{ChannelSink, Event, EventKind},
    journal::{Journal, MemoryJournal},
    model::{ApplicationId, Objectives, OwnerId, RegionId, RunId, StepId},
    plan::{Call, Goal, GoalKind, Mode, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
    time::{Clock, ManualClock, Monotonic, SharedClock},
};

/// How one call goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// Refused at once, may be tried again.
    Refused,
    /// Refused at once, and will be again.
    Never,
    /// Applied, and the reply is lost at once.
    ReplyLost,
    /// Applied, and never answered.
    Hangs,
    /// Never applied, never answered.
    BlackHole,
    /// The step's own program is broken.
    Panics,
}

#[derive(Debug, Default)]
struct State {
    /// When each switch is (or was) on.
    on: BTreeMap<String, Monotonic>,
    wrong: BTreeMap<String, Vec<Wrong>>,
    wrong_undo: BTreeMap<String, Vec<Wrong>>,
    /// What was done, in order: `on a`, `off a`.
    effects: Vec<String>,
    blocked: BTreeMap<String, String>,
    slow: BTreeMap<String, Duration>,
    /// What the API calls on, and a client does not.
    unproven: BTreeSet<String>,
    attempts: Vec<(String, u32, u64)>,
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) clock: ManualClock,
    state: Arc<Mutex<State>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Params {
    pub(super) key: String,
    pub(super) takes: u64,
    #[serde(default)]
    pub(super) input: Value,
}

impl World {
    pub(super) fn new() -> Self {
        Self { clock: ManualClock::new(), state: Arc::default() }
    }

    pub(super) fn shared_clock(&self) -> SharedClock {
        Arc::new(self.clock.clone())
    }

    /// The next calls for `key` go wrong like this, in turn.
    pub(super) fn wrong(&self, key: &str, wrong: &[Wrong]) {
        self.state.lock().unwrap().wrong.insert(key.to_owned(), wrong.to_vec());
    }

    pub(super) fn wrong_undo(&self, key: &str, wrong: &[Wrong]) {
        self.state.lock().unwrap().wrong_undo.insert(key.to_owned(), wrong.to_vec());
    }

    pub(super) fn block(&self, key: &str, reason: Option<&str>) {
        let mut state = self.state.lock().unwrap();
        match reason {
            Some(reason) => state.blocked.insert(key.to_owned(), reason.to_owned()),
            None => state.blocked.remove(key),
        };
    }

    pub(super) fn slow_observation(&self, key: &str, takes: Duration) {
        self.state.lock().unwrap().slow.insert(key.to_owned(), takes);
    }

    pub(super) fn unproven(&self, key: &str, is: bool) {
        let mut state = self.state.lock().unwrap();
        if is {
            state.unproven.insert(key.to_owned())
        } else {
            state.unproven.remove(key)
        };
    }

    pub(super) fn turn_on(&self, key: &str) {
        let now = self.clock.monotonic();
        self.state.lock().unwrap().on.insert(key.to_owned(), now);
    }

    pub(super) fn effects(&self) -> Vec<String> {
        self.state.lock().unwrap().effects.clone()
    }

    pub(super) fn count(&self, effect: &str) -> usize {
        self.state.lock().unwrap().effects.iter().filter(|done| *done == effect).count()
    }

    pub(super) fn is_on(&self, key: &str) -> bool {
        let now = self.clock.monotonic();
        self.state.lock().unwrap().on.get(key).is_some_and(|at| *at <= now)
    }

    /// Every call to `execute`: the key, the attempt and the epoch.
    pub(super) fn attempts(&self) -> Vec<(String, u32, u64)> {
        self.state.lock().unwrap().attempts.clone()
    }

    pub(super) fn registry(&self) -> StepRegistry {
        let mut steps = StepRegistry::new();
        steps.register(erase(TurnOn(self.clone()))).unwrap();
        steps.register(erase(Promote(self.clone()))).unwrap();
        steps
    }

    fn take(&self, undo: bool, key: &str) -> Option<Wrong> {
        let mut state = self.state.lock().unwrap();
        let list = if undo { &mut state.wrong_undo } else { &mut state.wrong };
        let list = list.get_mut(key)?;
        if list.is_empty() { None } else { Some(list.remove(0)) }
    }

    fn observe(&self, key: &str) -> Observed<String> {
        let now = self.clock.monotonic();
        let state = self.state.lock().unwrap();
        if let Some(reason) = state.blocked.get(key) {
            return Observed::Blocked { reason: reason.clone() };
        }
        match state.on.get(key) {
            None => Observed::NotStarted,
            Some(at) if *at > now => Observed::InFlight,
            Some(_) => Observed::Done { output: format!("{key} is on") },
        }
    }

    async fn execute(&self, cx: &StepCx, params: &Params) -> Result<String> {
        let (key, takes) = (&params.key, Duration::from_millis(params.takes));
        self.state.lock().unwrap().attempts.push((key.clone(), cx.attempt, cx.epoch.0));
        let wrong = self.take(false, key);
        let error = |kind, message: &str| Err(Error::new(kind, message));
        match wrong {
            Some(Wrong::Refused) => {
                return Err(Error::new(ErrorKind::Unavailable, "refused").with_effect(Effect::NotApplied));
            }
            Some(Wrong::Never) => {
                return Err(Error::new(ErrorKind::PermissionDenied, "may not")
                    .with_effect(Effect::NotApplied)
                    .with_retry(Retry::Never));
            }
            Some(Wrong::BlackHole) => std::future::pending().await,
            Some(Wrong::Panics) => panic!("the step's program is broken"),
            _ => {}
        }
        {
            let done = self.clock.monotonic() + takes;
            let mut state = self.state.lock().unwrap();
            state.on.insert(key.clone(), done);
            state.effects.push(format!("on {key}"));
        }
        match wrong {
            Some(Wrong::ReplyLost) => return error(ErrorKind::Unavailable, "reset by peer"),
            Some(Wrong::Hangs) => std::future::pending().await,
            _ => {}
        }
        if !takes.is_zero() {
            self.clock.sleep(takes).await;
        }
        Ok(format!("{key} is on"))
    }

    async fn undo(&self, key: &str, before: Option<&Value>) -> Result<()> {
        if self.take(true, key).is_some() {
            return Err(Error::new(ErrorKind::PermissionDenied, "may not").with_effect(Effect::NotApplied));
        }
        let mut state = self.state.lock().unwrap();
        assert_eq!(before, Some(&Value::Bool(false)), "restored from the before-image");
        if state.on.remove(key).is_some() {
            state.effects.push(format!("off {key}"));
        }
        Ok(())
    }
}

macro_rules! step {
    ($name:ident, $kind:literal, $reversibility:ident) => {
        #[derive(Debug)]
        pub(super) struct $name(pub(super) World);

        #[async_trait]
        impl Step for $name {
            const KIND: &'static str = $kind;
            type Params = Params;
            type Output = String;

            fn reversibility(&self) -> Reversibility {
                Reversibility::$reversibility
            }

            fn calls(&self, _: &Params) -> Vec<Call> {
                Vec::new()
            }

            async fn before_image(&self, _: &StepCx, params: &Params) -> Result<Option<Value>> {
                Ok(Some(Value::Bool(self.0.is_on(&params.key))))
            }

            async fn observe(&self, _: &StepCx, params: &Params) -> Result<Observed<String>> {
                let seen = self.0.observe(&params.key);
                // What was seen may be old by the time that it is told.
                let slow = self.0.state.lock().unwrap().slow.get(&params.key).copied();
                if let Some(slow) = slow {
                    self.0.clock.sleep(slow).await;
                }
                Ok(seen)
            }

            async fn execute(&self, cx: &StepCx, params: &Params) -> Result<String> {
                self.0.execute(cx, params).await
            }

            async fn verify(&self, _: &StepCx, params: &Params, _: &String) -> Result<()> {
                assert!(self.0.is_on(&params.key), "only a finished effect is verified");
                match self.0.state.lock().unwrap().unproven.contains(&params.key) {
                    true => Err(Error::new(ErrorKind::PostconditionFailed, "a write does not persist")),
                    false => Ok(()),
                }
            }

            async fn compensate(&self, cx: &StepCx, params: &Params, _: Option<&String>) -> Result<()> {
                self.0.undo(&params.key, cx.before()).await
            }
        }
    };
}

step!(TurnOn, "test.turn_on", Reversible);
step!(Promote, "test.promote", Irreversible);

pub(super) fn builder() -> PlanBuilder {
    let goal = Goal {
        kind: GoalKind::Failover,
        from: RegionId::new("us-east-1").unwrap(),
        to: RegionId::new("eu-west-1").unwrap(),
        mode: Mode::Ungraceful,
    };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives)
}

pub(super) fn params(key: &str, takes_ms: u64) -> Params {
    Params { key: key.to_owned(), takes: takes_ms, input: Value::Null }
}

pub(super) fn run_id() -> RunId {
    RunId::new("run-1").unwrap()
}

pub(super) fn step_id(id: &str) -> StepId {
    StepId::new(id).unwrap()
}

/// A run in a world, its journal, and what its watchers hear.
pub(super) struct Bench {
    pub(super) world: World,
    pub(super) journal: MemoryJournal,
}

impl Bench {
    pub(super) fn new() -> Self {
        let world = World::new();
        let journal = MemoryJournal::new(world.shared_clock());
        Self { world, journal }
    }

    pub(super) fn builder(&self, owner: &str) -> EngineBuilder {
        let journal: Arc<dyn Journal> = Arc::new(self.journal.clone());
        Engine::builder(journal, self.world.registry(), self.world.shared_clock()).owner(OwnerId::new(owner).unwrap())
    }

    pub(super) fn engine(&self) -> Engine {
        self.builder("engine-1").build()
    }

    /// Creates the run and works on it until it settles.
    pub(super) async fn run(&self, plan: PlanBuilder) -> RunView {
        let engine = self.engine();
        engine
            .create(NewRun::new(run_id(), plan.build().unwrap()).unattended("test", "a world of switches"))
            .await
            .unwrap();
        self.drive(engine.run(&run_id())).await.unwrap()
    }

    /// Polls a future and moves the clock whenever nothing else can happen.
    pub(super) async fn drive<F: Future>(&self, future: F) -> F::Output {
        drive(&self.world.clock, future).await
    }
}

/// Polls a future and moves the clock to the next sleeper whenever nothing else can happen.
pub(super) async fn drive<F: Future>(clock: &ManualClock, future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        // Each yield lets every task that is ready go on; a chain of wake-ups through engine and attempt is far shorter.
        for _ in 0..32 {
            if let Poll::Ready(output) = futures::poll!(&mut future) {
                return output;
            }
            tokio::task::yield_now().await;
        }
        assert!(clock.advance_to_next(), "nothing can happen any more");
    }
}

/// A sink, and a way to read what it got as short names.
pub(super) fn watch() -> (Arc<ChannelSink>, impl FnMut() -> Vec<String>) {
    let (sink, mut receiver) = ChannelSink::new();
    let read = move || {
        let mut names = Vec::new();
        while let Ok(event) = receiver.try_recv() {
            names.push(short(&event));
        }
        names
    };
    (Arc::new(sink), read)
}

fn short(event: &Event) -> String {
    let json = serde_json::to_value(event).unwrap();
    let name = json["event"].as_str().unwrap().to_owned();
    match &event.kind {
        EventKind::StepStarted { step, attempt, .. } => format!("{name} {step} #{attempt}"),
        EventKind::StepCompleted { step, took, already } => {
            format!("{name} {step} {took:?}{}", if *already { " already" } else { "" })
        }
        EventKind::StepFailed { step, retry_in, .. } => {
            format!("{name} {step} {}", if retry_in.is_some() { "again" } else { "for good" })
        }
        EventKind::StepSkipped { step, .. } | EventKind::StepCompensated { step } => format!("{name} {step}"),
        EventKind::RunEnded { summary, .. } => format!("{name} {summary}"),
        EventKind::RunPaused { reason } => format!("{name} {reason}"),
        _ => name,
    }
}
