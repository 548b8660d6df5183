use std::fmt;

use serde::{Deserialize, Serialize};

/// What a step does differently once somebody has switched it to ungraceful; a step without it stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rule", rename_all = "kebab-case")]
pub enum Ungraceful {
    /// The run goes on without it when it has not begun yet or has failed for good.
    Skip,
    /// It insists, in its own documented way: [`StepCx::mode`](crate::step::StepCx::mode) tells it.
    Force,
    /// It is content with less: [`StepCx::minimum_success`](crate::step::StepCx::minimum_success) tells it.
    MinimumSuccess {
        /// How many in a hundred are enough, 0 to 99.
        percent: u8,
    },
}

impl fmt::Display for Ungraceful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Skip => f.write_str("skipped"),
            Self::Force => f.write_str("forced"),
            Self::MinimumSuccess { percent } => write!(f, "content with {percent} %"),
        }
    }
}
