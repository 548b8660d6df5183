//! Real processes that are killed at every write of the journal and at every call to the world.
//!
//! A child process (this test binary once more, see [`child`]) runs a plan with the real engine on the real
//! [`SqliteJournal`](dr_core::journal::SqliteJournal), on virtual time, and dies where it is told (see [`death`]). Its
//! world is a file outside of it ([`world`]), so that what was done stays done and can be counted. Then another child
//! takes the run up, and must come to the same end as one that nobody disturbed.
//!
//! Every single death is tried with the other tests. The pairs, a second death during the recovery from the first, are a
//! stage of their own: `cargo xtask test --only crash`.

mod child;
mod death;
mod journal;
mod story;
mod sweep;
mod wal;
mod world;
