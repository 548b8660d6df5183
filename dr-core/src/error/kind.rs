use std::{borrow::Cow, error::Error as StdError, fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The result of everything here that talks to the world.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, in the terms that a caller can act on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ErrorKind {
    /// No answer in the time given.
    Timeout,
    /// The far side asked us to slow down.
    Throttled,
    /// The far side could not be reached, or answered that it cannot serve now.
    Unavailable,
    /// The caller may not do this.
    PermissionDenied,
    /// The thing named does not exist.
    NotFound,
    /// Somebody else changed the thing first.
    Conflict,
    /// The thing is in a state that does not allow this.
    PreconditionFailed,
    /// What was sent or read is malformed.
    Invalid,
    /// The effect was looked for afterwards and was not there.
    PostconditionFailed,
    /// This engine's lease has passed to another.
    Fenced,
    /// The work was cancelled.
    Cancelled,
    /// This cannot be done here.
    Unsupported,
    /// The store of the journal failed, or a file could not be read or written.
    Storage,
    /// The store answered, and what it holds is not what was written.
    Corrupt,
    /// A fault of this program.
    Internal,
}

/// Whether trying again can help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Retry {
    /// The same call will fail the same way.
    Never,
    /// Try again, with backoff.
    Backoff,
    /// Try again, not before this.
    After(Duration),
}

/// Whether the failed call changed the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It certainly did not.
    NotApplied,
    /// It certainly did.
    Applied,
    /// Nobody knows: observe before acting again.
    Indefinite,
}

/// An error of the project.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    retry: Retry,
    effect: Effect,
    operation: Cow<'static, str>,
    message: String,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// An error of `kind`, with the retry that goes with the kind and an [`Effect::Indefinite`] effect.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        let retry = match kind {
            ErrorKind::Timeout | ErrorKind::Throttled | ErrorKind::Unavailable | ErrorKind::Conflict => Retry::Backoff,
            _ => Retry::Never,
        };
        Self {
            kind,
            retry,
            effect: Effect::Indefinite,
            operation: Cow::Borrowed(""),
            message: message.into(),
            source: None,
        }
    }

    /// Names the call that failed, such as `rds:FailoverGlobalCluster`.
    #[must_use]
    pub fn during(mut self, operation: impl Into<Cow<'static, str>>) -> Self {
        self.operation = operation.into();
        self
    }

    /// Says whether the world changed.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.effect = effect;
        self
    }

    /// Says whether trying again can help.
    #[must_use]
    pub fn with_retry(mut self, retry: Retry) -> Self {
        self.retry = retry;
        self
    }

    /// Keeps the error beneath.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Whether trying again can help.
    #[must_use]
    pub fn retry(&self) -> Retry {
        self.retry
    }

    /// Whether the world changed.
    #[must_use]
    pub fn effect(&self) -> Effect {
        self.effect
    }

    /// The call that failed; empty when it was none in particular.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The message alone.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.operation.is_empty() {
            write!(f, "{}: ", self.operation)?;
        }
        f.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}
