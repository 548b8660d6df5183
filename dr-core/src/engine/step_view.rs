use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    error::{Effect, Failure},
    journal::{Intent, Outcome},
    plan::Ungraceful,
    time::Timestamp,
};

/// How far a step is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub enum StepState {
    /// Not begun.
    #[default]
    Pending,
    /// An attempt is being made.
    Running,
    /// The engine that made the last attempt is gone; nobody knows how the attempt ended.
    Interrupted,
    /// The last attempt failed.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// The effect is there.
    Done {
        /// What the step found out.
        output: Value,
        /// Whether the effect was there before the attempt that found it acted.
        already: bool,
    },
    /// Somebody decided to go on without it.
    Skipped {
        /// Why.
        reason: String,
    },
    /// Its effect is being taken back.
    Compensating,
    /// The engine that was taking its effect back is gone.
    CompensationInterrupted,
    /// Taking its effect back failed.
    CompensationFailed {
        /// Why.
        failure: Failure,
    },
    /// Its effect was taken back.
    Compensated,
    /// Somebody decided to leave its effect as it is.
    LeftStanding {
        /// Why.
        reason: String,
    },
}

impl StepState {
    /// The name, as people read it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Interrupted => "interrupted",
            Self::Failed { .. } => "failed",
            Self::Done { .. } => "done",
            Self::Skipped { .. } => "skipped",
            Self::Compensating => "compensating",
            Self::CompensationInterrupted => "compensation interrupted",
            Self::CompensationFailed { .. } => "compensation failed",
            Self::Compensated => "compensated",
            Self::LeftStanding { .. } => "left standing",
        }
    }
}

/// What the journal says of one step.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StepView {
    /// How far it is.
    pub state: StepState,
    /// Attempts begun so far, the automatic and the asked-for ones.
    pub attempts: u32,
    /// Attempts to take its effect back.
    pub compensations: u32,
    /// Failures since the step was begun or somebody last asked for another attempt.
    pub failures: u32,
    /// Whether somebody asked for another attempt that has not been made yet.
    pub retry_asked: bool,
    /// Whether somebody switched it to ungraceful.
    #[serde(default)]
    pub ungraceful: bool,
    /// Whether an intent was written: its before-image, if it has one, is final.
    pub begun: bool,
    /// What stood before the first attempt.
    pub before: Option<Value>,
    /// The parameters of the last attempt, with outputs of earlier steps filled in.
    pub params: Option<Value>,
    /// When the first attempt began, on the wall.
    pub started: Option<Timestamp>,
    /// When the last attempt ended, on the wall.
    pub ended: Option<Timestamp>,
    /// Whether an attempt whose effect is not known to be absent has ended or was interrupted.
    pub(super) touched: bool,
    /// The place of the first intent: the order in which steps were begun.
    pub(super) order: u64,
}

impl StepView {
    /// Whether the run changed the world by this step, or may have.
    #[must_use]
    pub fn may_stand(&self) -> bool {
        self.touched && self.state != StepState::Compensated
            || matches!(self.state, StepState::Running | StepState::Interrupted)
    }

    /// What it found out, when it is done.
    #[must_use]
    pub fn output(&self) -> Option<&Value> {
        match &self.state {
            StepState::Done { output, .. } => Some(output),
            _ => None,
        }
    }

    /// Whether steps that come after it may begin.
    #[must_use]
    pub fn settled(&self) -> bool {
        matches!(self.state, StepState::Done { .. } | StepState::Skipped { .. })
    }

    pub(super) fn intent(&mut self, seq: u64, at: Timestamp, intent: Intent) {
        if !self.begun {
            self.begun = true;
            self.before = intent.before;
            self.started = Some(at);
            self.order = seq;
        }
        self.attempts = intent.attempt;
        self.params = Some(intent.params);
        self.retry_asked = false;
        self.state = StepState::Running;
    }

    pub(super) fn compensation_intent(&mut self, attempt: u32) {
        if !self.unwinding() {
            self.failures = 0;
        }
        self.compensations = attempt;
        self.retry_asked = false;
        self.state = StepState::Compensating;
    }

    /// Whether taking it back has begun.
    fn unwinding(&self) -> bool {
        matches!(
            self.state,
            StepState::Compensating | StepState::CompensationInterrupted | StepState::CompensationFailed { .. }
        )
    }

    pub(super) fn outcome(&mut self, at: Timestamp, attempt: u32, outcome: Outcome) {
        self.ended = Some(at);
        self.retry_asked = false;
        match outcome {
            Outcome::Done { output, already } => {
                // An effect that was there before anybody acted is not this run's to take back.
                self.touched |= !already;
                self.state = StepState::Done { output, already };
            }
            Outcome::Failed { failure } if self.unwinding() => {
                self.failures += 1;
                self.state = StepState::CompensationFailed { failure };
            }
            Outcome::Failed { failure } => {
                self.attempts = self.attempts.max(attempt);
                self.failures += 1;
                self.touched |= self.begun && failure.effect != Effect::NotApplied;
                self.state = StepState::Failed { failure };
            }
            Outcome::Skipped { reason } if self.unwinding() => {
                self.state = StepState::LeftStanding { reason };
            }
            Outcome::Skipped { reason } => self.state = StepState::Skipped { reason },
            Outcome::Compensated => self.state = StepState::Compensated,
        }
    }

    /// Somebody switched it to ungraceful: a failure so far is no longer the last word, unless the rule is to go on without.
    pub(super) fn switch(&mut self, rule: Ungraceful) {
        self.ungraceful = true;
        if rule != Ungraceful::Skip && matches!(self.state, StepState::Failed { .. }) {
            self.retry();
        }
    }

    pub(super) fn retry(&mut self) {
        self.failures = 0;
        self.retry_asked = true;
    }

    /// Another engine has taken the run up: what was under way is so no more.
    pub(super) fn interrupted(&mut self) {
        match self.state {
            StepState::Running => {
                self.touched = true;
                self.state = StepState::Interrupted;
            }
            StepState::Compensating => self.state = StepState::CompensationInterrupted,
            _ => {}
        }
    }
}
