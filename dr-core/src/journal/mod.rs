//! The journal: what the engine decided and saw, in order, durable before it acts.
//!
//! Every append carries the lease's epoch and the sequence number that the writer expects, so that two engines cannot
//! both write, and a stale one can write nothing. Each record's digest covers the one before it, so that a changed,
//! dropped or swapped record shows ([`verify`]).
//!
//! Beside its records, a run has an inbox ([`Journal::submit`]): what somebody asks of it who does not hold its lease.
//!
//! | journal | lives in | for |
//! |---|---|---|
//! | [`MemoryJournal`] | the process | tests, rehearsals, embedding where a lost process loses the run |
//! | [`SqliteJournal`] | one file | one machine that runs, others on it that watch |

mod audit;
mod chain;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod digest;
mod entry;
mod inbox;
mod journal;
mod jsonl;
mod lease;
mod memory;
mod record;
mod request;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;
mod wire;

pub use audit::{Audit, audit};
pub use chain::{ChainBreak, verify};
pub use digest::{Digest, InvalidDigest};
pub use entry::{Decision, Entry, Intent, Outcome, RunEnd, Signed};
pub use journal::Journal;
pub use jsonl::{export_jsonl, read_jsonl};
pub use lease::Lease;
pub use memory::MemoryJournal;
pub use record::{Record, Seq};
pub use request::{Request, RequestId, Submitted};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteJournal;
pub use wire::FORMAT;

pub(crate) use {audit::damaged, chain::Link};
