//! The journal: what the engine decided and saw, in order, durable before it acts.
//!
//! Every append carries the lease's epoch and the sequence number that the writer expects, so that two engines cannot
//! both write, and a stale one can write nothing.

mod entry;
mod journal;
mod lease;
mod record;

pub use entry::{Decision, Entry, Intent, Outcome, RunEnd};
pub use journal::Journal;
pub use lease::Lease;
pub use record::{Digest, Record, Seq};
