//! The journal: what the engine decided and saw, in order, durable before it acts.
//!
//! Every append carries the lease's epoch and the sequence number that the writer expects, so that two engines cannot
//! both write, and a stale one can write nothing. Each record's digest covers its stored bytes and the record before it, so that
//! a changed, dropped or swapped record shows ([`verify`]); signed checkpoints, kept elsewhere, show that the end is missing or
//! that all of it was written anew ([`verify_against`]). docs/design/journal-format.md describes the bytes.
//!
//! Beside its records, a run has an inbox ([`Journal::submit`]): what somebody asks of it who does not hold its lease.
//!
//! | journal | lives in | for |
//! |---|---|---|
//! | [`MemoryJournal`] | the process | tests, rehearsals, embedding where a lost process loses the run |
//! | [`SqliteJournal`] | one file | one machine that runs, others on it that watch |

mod audit;
mod chain;
mod checkpoint;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod digest;
#[cfg(feature = "ed25519")]
mod ed25519;
mod entry;
mod hex;
mod holding;
mod journal;
mod jsonl;
mod lease;
mod memory;
mod public_key;
mod record;
pub mod refusal;
mod request;
mod signature;
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod tests;
mod wire;

pub use audit::{Audit, audit};
pub use chain::{ChainBreak, verify, verify_against};
pub use checkpoint::{Checkpoint, SignedCheckpoint, checkpoint};
pub use digest::{Digest, InvalidDigest};
#[cfg(feature = "ed25519")]
pub use ed25519::{Ed25519Signer, Ed25519Verifier};
pub use entry::{Decision, Entry, HealthNews, Intent, Outcome, RunEnd, Signed, StandingEffect};
pub use holding::Holding;
pub use journal::Journal;
pub use jsonl::{export_jsonl, read_jsonl};
pub use lease::Lease;
pub use memory::MemoryJournal;
pub use public_key::{InvalidPublicKey, PublicKey};
pub use record::{Record, Seq};
pub use request::{Request, RequestId, Submitted};
pub use signature::{Signature, Signer, Verifier};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteJournal;
pub use wire::FORMAT;

pub(crate) use {audit::damaged, chain::Link};
