use std::{
    fmt,
    net::Ipv4Addr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dr_core::{
    model::{Epoch, RegionId},
    time::Monotonic,
};
use serde::{Deserialize, Serialize};

use crate::{dns::ResolveError, front::Refusal, orders::OrderId, wire::CallError};

/// What a client tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Operation {
    /// `POST /orders`.
    Write,
    /// `GET /orders/{id}`, of an order that had been acknowledged.
    Read,
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// The name did not resolve.
    Dns,
    /// The connection was refused.
    Refused,
    /// No answer in time.
    TimedOut,
    /// The connection broke.
    Broken,
    /// The region had more to do than its replicas can carry.
    Overloaded,
    /// The region's database does not write.
    ReadOnly,
    /// The region's cache does not write.
    CacheReadOnly,
    /// The application failed.
    ServerError,
    /// An order that had been acknowledged was not there.
    NotFound,
}

impl FailureKind {
    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Refused => "refused",
            Self::TimedOut => "timed-out",
            Self::Broken => "broken",
            Self::Overloaded => "overloaded",
            Self::ReadOnly => "read-only",
            Self::CacheReadOnly => "cache-read-only",
            Self::ServerError => "server-error",
            Self::NotFound => "not-found",
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl From<CallError> for FailureKind {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Refused => Self::Refused,
            CallError::TimedOut => Self::TimedOut,
            CallError::Broken => Self::Broken,
        }
    }
}

impl From<ResolveError> for FailureKind {
    fn from(_: ResolveError) -> Self {
        Self::Dns
    }
}

impl From<Refusal> for FailureKind {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Overloaded => Self::Overloaded,
            Refusal::ReadOnly => Self::ReadOnly,
            Refusal::CacheReadOnly => Self::CacheReadOnly,
            Refusal::Internal => Self::ServerError,
        }
    }
}

/// A write that a client was told is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledged {
    /// The order.
    pub id: OrderId,
    /// Who was told.
    pub client: u32,
    /// The region that said so.
    pub region: RegionId,
    /// The epoch of its writer.
    pub epoch: Epoch,
    /// When the reply arrived.
    pub at: Monotonic,
}

/// An attempt, for the count of successes and errors over time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Whose.
    pub client: u32,
    /// What.
    pub operation: Operation,
    /// When it ended.
    pub at: Monotonic,
    /// How it failed; none when it succeeded.
    pub failure: Option<FailureKind>,
}

/// A client learned a new address of the public name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// Who.
    pub client: u32,
    /// When.
    pub at: Monotonic,
    /// What it had been before, if anything.
    pub from: Option<Ipv4Addr>,
    /// The address.
    pub to: Ipv4Addr,
}

/// Everything that the clients remember, each list in the order in which it happened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Writes that were acknowledged, each order once.
    pub acknowledged: Vec<Acknowledged>,
    /// All attempts.
    pub attempts: Vec<Attempt>,
    /// Changes of address.
    pub resolved: Vec<Resolved>,
}

/// The clients' common memory. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    records: Arc<Mutex<Records>>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A write was acknowledged.
    pub fn acknowledge(&self, write: Acknowledged) {
        let mut records = self.lock();
        records.attempts.push(Attempt {
            client: write.client,
            operation: Operation::Write,
            at: write.at,
            failure: None,
        });
        records.acknowledged.push(write);
    }

    /// An attempt that acknowledged nothing.
    pub fn attempt(&self, attempt: Attempt) {
        self.lock().attempts.push(attempt);
    }

    /// A client learned a new address.
    pub fn resolve(&self, resolved: Resolved) {
        self.lock().resolved.push(resolved);
    }

    /// A copy of everything so far.
    #[must_use]
    pub fn records(&self) -> Records {
        self.lock().clone()
    }

    /// How many writes have been acknowledged so far.
    #[must_use]
    pub fn acknowledged(&self) -> usize {
        self.lock().acknowledged.len()
    }
}
