use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one look says of its subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Health {
    /// It answered as it should.
    Healthy,
    /// It did not, and that was seen: refused, silent, or wrong.
    Unhealthy,
}

/// How long a look took, phase by phase; a phase that was not reached, or does not exist, is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Latency {
    /// From the start to an address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolve: Option<Duration>,
    /// From an address to an open connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connect: Option<Duration>,
    /// From an open connection to an encrypted one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Duration>,
    /// From the request to the head of the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first_byte: Option<Duration>,
    /// From the start to the end.
    pub total: Duration,
}

impl Latency {
    /// A look of which only the whole was measured.
    #[must_use]
    pub fn of(total: Duration) -> Self {
        Self { total, ..Self::default() }
    }
}

/// What a probe saw, when it could look.
///
/// Who looked at what, and when, is in the [`Observation`](super::Observation) around it, which the sampler fills in:
/// a probe cannot speak for another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Reading {
    /// The judgement.
    pub health: Health,
    /// How long it took.
    pub latency: Latency,
    /// What was seen, in words that a person can act on: `answered 503 Service Unavailable, expected 201`. No secrets.
    pub reason: String,
}

impl Reading {
    /// It answered as it should.
    #[must_use]
    pub fn healthy(latency: Latency, reason: impl Into<String>) -> Self {
        Self { health: Health::Healthy, latency, reason: reason.into() }
    }

    /// It did not.
    #[must_use]
    pub fn unhealthy(latency: Latency, reason: impl Into<String>) -> Self {
        Self { health: Health::Unhealthy, latency, reason: reason.into() }
    }

    /// Whether it answered as it should.
    #[must_use]
    pub fn is_healthy(&self) -> bool {
        self.health == Health::Healthy
    }
}
