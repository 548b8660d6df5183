use std::fmt;

use serde::{Deserialize, Serialize};

use crate::journal::RunEnd;

/// How far a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunState {
    /// Created; no engine has taken it up.
    Pending,
    /// Steps are being made.
    Running,
    /// A gate waits for somebody's approval.
    WaitingForApproval,
    /// A step failed for good; somebody must decide on it.
    PausedByFailure,
    /// Somebody paused it.
    PausedByOperator,
    /// Somebody ended it; what was done is being taken back.
    Cancelling,
    /// Every step is done; the application's health is watched until it is green and stays so.
    MonitoringHealth,
    /// Every step is done.
    Completed,
    /// Every step is done or was skipped.
    CompletedWithExceptions,
    /// Every step is done, and yet the application's health did not turn green and stay so.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Its deadline passed, or nobody answered a gate in time.
    TimedOut,
    /// It was to leave the world as it was, and did not: its end lists what stands.
    Dirty,
    /// This engine let go of it, because its lease or its journal is gone. Another engine, or a later run, can take it up.
    Held,
}

impl RunState {
    /// Whether nothing can follow.
    #[must_use]
    pub const fn is_end(self) -> bool {
        matches!(
            self,
            Self::Completed
                | Self::CompletedWithExceptions
                | Self::Failed
                | Self::Cancelled
                | Self::TimedOut
                | Self::Dirty
        )
    }

    /// Whether the plan's purpose was reached.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Completed | Self::CompletedWithExceptions)
    }

    /// The name, as people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::WaitingForApproval => "waiting for approval",
            Self::PausedByFailure => "paused by failure",
            Self::PausedByOperator => "paused by operator",
            Self::Cancelling => "cancelling",
            Self::MonitoringHealth => "monitoring health",
            Self::Completed => "completed",
            Self::CompletedWithExceptions => "completed with exceptions",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::TimedOut => "timed out",
            Self::Dirty => "dirty",
            Self::Held => "held",
        }
    }
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<RunEnd> for RunState {
    fn from(end: RunEnd) -> Self {
        match end {
            RunEnd::Completed => Self::Completed,
            RunEnd::CompletedWithExceptions => Self::CompletedWithExceptions,
            RunEnd::Failed => Self::Failed,
            RunEnd::Cancelled => Self::Cancelled,
            RunEnd::TimedOut => Self::TimedOut,
            RunEnd::Dirty => Self::Dirty,
        }
    }
}
