//! The lab from outside: over its sockets, with packets and requests that anybody could send.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says so by panicking"
)]

mod by_hand;
mod decider;
mod drill_faults;
mod drill_killed;
mod drill_prewarmed;
mod drill_refusals;
mod drill_seen_by_foreign_clients;
mod drill_steered;
mod failover;
mod observers;
mod process;
mod runs_checkpoints;
mod steady;
mod sweep;
mod whole;
