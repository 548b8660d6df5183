use std::{fmt, sync::Arc, time::Duration};

use sha2::{Digest as _, Sha256};

use super::{CancellationToken, ModeSwitch};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::{Epoch, RunId, StepId},
    plan::{Mode, Ungraceful},
    time::{Monotonic, SharedClock, timeout},
};

/// Receives a step's words about its progress; a watcher can never stop a failover, so it cannot fail.
pub trait ProgressSink: Send + Sync {
    /// One line for a person.
    fn progress(&self, step: &StepId, message: &str);
}

/// Everything a step is told about the attempt that it is part of.
#[derive(Clone)]
pub struct StepCx {
    /// The run.
    pub run: RunId,
    /// The step.
    pub step: StepId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// The engine's fencing token: pass it on wherever the far side can check it.
    pub epoch: Epoch,
    /// When the attempt must have ended.
    pub deadline: Monotonic,
    /// The time that everything is measured in.
    pub clock: SharedClock,
    /// Fires when the attempt is no longer wanted.
    pub cancel: CancellationToken,
    before: Option<serde_json::Value>,
    rule: Option<Ungraceful>,
    switch: ModeSwitch,
    progress: Option<Arc<dyn ProgressSink>>,
}

impl StepCx {
    /// The context of a first attempt with no watcher.
    #[must_use]
    pub fn new(run: RunId, step: StepId, epoch: Epoch, clock: SharedClock, limit: Duration) -> Self {
        let deadline = clock.monotonic() + limit;
        Self {
            run,
            step,
            attempt: 1,
            epoch,
            deadline,
            clock,
            cancel: CancellationToken::new(),
            before: None,
            rule: None,
            switch: ModeSwitch::default(),
            progress: None,
        }
    }

    /// The same context for a given attempt.
    #[must_use]
    pub fn with_attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// The same context with the journalled before-image.
    #[must_use]
    pub fn with_before(mut self, before: Option<serde_json::Value>) -> Self {
        self.before = before;
        self
    }

    /// The same context with what the plan lets the step do in ungraceful mode, and the switch that says whether it is in it.
    #[must_use]
    pub fn with_mode(mut self, rule: Option<Ungraceful>, switch: ModeSwitch) -> Self {
        self.rule = rule;
        self.switch = switch;
        self
    }

    /// The same context with a watcher.
    #[must_use]
    pub fn with_progress(mut self, sink: Arc<dyn ProgressSink>) -> Self {
        self.progress = Some(sink);
        self
    }

    /// The same context with this token.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancellationToken) -> Self {
        self.cancel = cancel;
        self
    }

    /// The before-image that was journalled before the first attempt.
    #[must_use]
    pub fn before(&self) -> Option<&serde_json::Value> {
        self.before.as_ref()
    }

    /// How much the step may insist on, now: it can change while an attempt is made, and never back.
    ///
    /// Ungraceful only for a step to which the plan gives a rule for it, in a run (or part of it) that somebody switched or
    /// whose goal is ungraceful. A step without a rule does what was approved, whatever the run's mode is.
    #[must_use]
    pub fn mode(&self) -> Mode {
        if self.rule.is_some() && self.switch.is_thrown() { Mode::Ungraceful } else { Mode::Graceful }
    }

    /// How many in a hundred are enough, when the plan says so for ungraceful mode and the step is in it; all otherwise.
    #[must_use]
    pub fn minimum_success(&self) -> Option<u8> {
        match (self.mode(), self.rule) {
            (Mode::Ungraceful, Some(Ungraceful::MinimumSuccess { percent })) => Some(percent),
            _ => None,
        }
    }

    /// Time left until the deadline, zero when it has passed.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        self.deadline.since(self.clock.monotonic())
    }

    /// A key that is the same on every attempt of this step of this run, for far sides that take one.
    #[must_use]
    pub fn idempotency_key(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(self.run.as_str());
        hash.update([0]);
        hash.update(self.step.as_str());
        hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
    }

    /// Tells whoever watches.
    pub fn progress(&self, message: impl AsRef<str>) {
        if let Some(sink) = &self.progress {
            sink.progress(&self.step, message.as_ref());
        }
    }

    /// Waits `d`, but no longer than the deadline or a cancellation.
    ///
    /// # Errors
    ///
    /// [`Timeout`](ErrorKind::Timeout) at the deadline, [`Cancelled`](ErrorKind::Cancelled) when cancelled; waiting changes nothing,
    /// but what was waited for may still happen, so the effect is indefinite.
    pub async fn wait(&self, d: Duration) -> Result<()> {
        let remaining = self.remaining();
        if remaining.is_zero() {
            return Err(Error::new(ErrorKind::Timeout, format!("{}: the step's time is up", self.step)));
        }
        tokio::select! {
            biased;
            () = self.clock.sleep(d.min(remaining)) => Ok(()),
            () = self.cancel.cancelled() => Err(Error::new(ErrorKind::Cancelled, format!("{}: cancelled", self.step))),
        }
    }

    /// Asks `look` every `every` until it answers `Some`, the deadline passes or the attempt is cancelled.
    ///
    /// An error of `look` that may be retried does not end the wait: a failing describe says nothing of the effect.
    ///
    /// # Errors
    ///
    /// The last retriable error of `look`, or a timeout, at the deadline; a final error of `look` at once.
    pub async fn poll_until<T, F, Fut>(&self, every: Duration, mut look: F) -> Result<T>
    where
        F: FnMut() -> Fut,
        Fut: Future<Output = Result<Option<T>>>,
    {
        let mut last = None;
        loop {
            match timeout(&*self.clock, self.remaining(), look()).await {
                Ok(Ok(Some(value))) => return Ok(value),
                Ok(Ok(None)) => last = None,
                Ok(Err(error)) if matches!(error.retry(), crate::error::Retry::Never) => return Err(error),
                Ok(Err(error)) => last = Some(error),
                Err(_) => {}
            }
            if let Err(stop) = self.wait(every).await {
                return Err(match (stop.kind(), last) {
                    (ErrorKind::Timeout, Some(error)) => error.with_effect(Effect::Indefinite),
                    _ => stop,
                });
            }
        }
    }
}

impl fmt::Debug for StepCx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StepCx")
            .field("run", &self.run)
            .field("step", &self.step)
            .field("attempt", &self.attempt)
            .field("epoch", &self.epoch)
            .finish_non_exhaustive()
    }
}
