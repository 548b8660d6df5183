//! A world of named switches in a file, which outlives whoever changes it.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Write as _,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::{Clock as _, ManualClock},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::death::{Death, die};

/// What a step does, and how often the world refuses it first.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(super) struct Params {
    pub(super) key: String,
    /// How long the effect takes, in milliseconds.
    pub(super) takes: u64,
    /// How many calls are refused in a way that may be tried again.
    pub(super) refused: usize,
    /// How many calls are refused for good.
    pub(super) denied: usize,
    /// Whether the reply to the call that is carried out is lost.
    pub(super) reply_lost: bool,
    /// How many calls to take it back are refused.
    pub(super) undo_refused: usize,
}

#[derive(Debug)]
struct State {
    file: File,
    lines: Vec<String>,
    calls: u32,
}

/// The world as one process sees and changes it.
#[derive(Clone)]
pub(super) struct World {
    clock: ManualClock,
    death: Option<Death>,
    state: Arc<Mutex<State>>,
    last_words: Arc<dyn Fn() + Send + Sync>,
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Everything that happened in the world, a line for each thing: `on KEY WHEN`, `off KEY`, `refused KEY`.
pub(super) fn history(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}

/// The effects among what happened: `on KEY`, `off KEY`.
pub(super) fn effects(path: &Path) -> Vec<String> {
    let effect = |line: String| {
        let mut words = line.split(' ');
        let (verb, key) = (words.next()?, words.next()?);
        matches!(verb, "on" | "off").then(|| format!("{verb} {key}"))
    };
    history(path).into_iter().filter_map(effect).collect()
}

impl World {
    pub(super) fn open(
        path: &Path,
        clock: ManualClock,
        death: Option<Death>,
        last_words: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let lines = history(path);
        let file = File::options().create(true).append(true).open(path).unwrap();
        Self { clock, death, state: Arc::new(Mutex::new(State { file, lines, calls: 0 })), last_words }
    }

    pub(super) fn calls(&self) -> u32 {
        self.state.lock().unwrap().calls
    }

    /// Lets one thing happen, and dies before or after it when this is the one.
    fn happen(&self, line: String) {
        let mut state = self.state.lock().unwrap();
        state.calls += 1;
        if self.death == Some(Death::BeforeCall(state.calls)) {
            (self.last_words)();
            die();
        }
        // One write to a file that is open for appending: whole, and there for whoever comes next.
        state.file.write_all(format!("{line}\n").as_bytes()).unwrap();
        state.lines.push(line);
        if self.death == Some(Death::AfterCall(state.calls)) {
            (self.last_words)();
            die();
        }
    }

    fn count(&self, line: &str) -> usize {
        self.state.lock().unwrap().lines.iter().filter(|known| *known == line).count()
    }

    fn now(&self) -> u64 {
        u64::try_from(self.clock.monotonic().since_origin().as_millis()).unwrap()
    }

    /// Since (or from) when the switch is on.
    fn on_at(&self, key: &str) -> Option<u64> {
        let state = self.state.lock().unwrap();
        let mut at = BTreeMap::new();
        for line in &state.lines {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["on", key, when] => at.insert(key, when.parse().unwrap()),
                ["off", key] => at.remove(key),
                _ => None,
            };
        }
        at.get(key).copied()
    }

    fn observe(&self, key: &str) -> Observed<String> {
        match self.on_at(key) {
            None => Observed::NotStarted,
            Some(at) if at > self.now() => Observed::InFlight,
            Some(_) => Observed::Done { output: format!("{key} is on") },
        }
    }

    /// What a step sees that does not look.
    fn overlook(&self, _: &str) -> Observed<String> {
        Observed::NotStarted
    }

    async fn execute(&self, params: &Params) -> Result<String> {
        let key = &params.key;
        let refused = self.count(&format!("refused {key}"));
        if refused < params.refused + params.denied {
            self.happen(format!("refused {key}"));
            let retry = if refused < params.refused { Retry::Backoff } else { Retry::Never };
            return Err(Error::new(ErrorKind::Unavailable, "refused")
                .with_effect(Effect::NotApplied)
                .with_retry(retry));
        }
        self.happen(format!("on {key} {}", self.now() + params.takes));
        if params.reply_lost {
            return Err(Error::new(ErrorKind::Unavailable, "reset by peer"));
        }
        self.clock.sleep(Duration::from_millis(params.takes)).await;
        Ok(format!("{key} is on"))
    }

    fn undo(&self, params: &Params, before: Option<&Value>) -> Result<()> {
        let key = &params.key;
        assert_eq!(before, Some(&Value::Bool(false)), "what stood before {key}");
        if self.count(&format!("kept {key}")) < params.undo_refused {
            self.happen(format!("kept {key}"));
            return Err(Error::new(ErrorKind::Unavailable, "refused").with_effect(Effect::NotApplied));
        }
        if self.on_at(key).is_some() {
            self.happen(format!("off {key}"));
        }
        Ok(())
    }
}

macro_rules! step {
    ($name:ident, $kind:literal, $reversibility:ident, $observe:ident) => {
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
                Ok(Some(Value::Bool(self.0.on_at(&params.key).is_some())))
            }

            async fn observe(&self, _: &StepCx, params: &Params) -> Result<Observed<String>> {
                Ok(self.0.$observe(&params.key))
            }

            async fn execute(&self, _: &StepCx, params: &Params) -> Result<String> {
                self.0.execute(params).await
            }

            async fn verify(&self, _: &StepCx, params: &Params, _: &String) -> Result<()> {
                match self.0.observe(&params.key) {
                    Observed::Done { .. } => Ok(()),
                    other => Err(Error::new(ErrorKind::PostconditionFailed, format!("{}: {other:?}", params.key))),
                }
            }

            async fn compensate(&self, cx: &StepCx, params: &Params, _: Option<&String>) -> Result<()> {
                self.0.undo(params, cx.before())
            }
        }
    };
}

step!(TurnOn, "crash.turn_on", Reversible, observe);
step!(Promote, "crash.promote", Irreversible, observe);
step!(Blind, "crash.blind", Reversible, overlook);

/// A step that only looks.
#[derive(Debug)]
pub(super) struct Look(pub(super) World);

#[async_trait]
impl Step for Look {
    const KIND: &'static str = "crash.look";
    type Params = Params;
    type Output = bool;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &Params) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, params: &Params) -> Result<Observed<bool>> {
        Ok(match self.0.on_at(&params.key) {
            Some(at) if at > self.0.now() => Observed::InFlight,
            on => Observed::Done { output: on.is_some() },
        })
    }

    async fn execute(&self, _: &StepCx, _: &Params) -> Result<bool> {
        Err(Error::new(ErrorKind::Unsupported, "a look changes nothing").with_effect(Effect::NotApplied))
    }

    async fn compensate(&self, _: &StepCx, _: &Params, _: Option<&bool>) -> Result<()> {
        Err(Error::new(ErrorKind::Unsupported, "a look changes nothing").with_effect(Effect::NotApplied))
    }
}
