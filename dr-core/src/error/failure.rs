use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

use super::{Effect, Error, ErrorKind, Retry};

/// An [`Error`] as the journal keeps it: everything but the live source, whose text is folded in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What went wrong.
    pub kind: ErrorKind,
    /// Whether trying again can help.
    pub retry: Retry,
    /// Whether the world changed.
    pub effect: Effect,
    /// The call that failed; empty when it was none in particular.
    #[serde(default, skip_serializing_if = "str::is_empty")]
    pub operation: Cow<'static, str>,
    /// The message.
    pub message: String,
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            retry: error.retry(),
            effect: error.effect(),
            operation: Cow::Owned(error.operation().to_owned()),
            message: error.message().to_owned(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::from(&error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        f.write_str(&self.message)
    }
}
