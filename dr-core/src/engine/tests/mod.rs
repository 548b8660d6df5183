//! The engine in a small world on a clock that tests move.

mod approvals;
mod controls;
mod crashes;
mod decisions;
mod fencing;
mod following;
mod frontier;
mod groups;
mod inbox;
mod modes;
mod protocol;
mod random_plans;
mod recovery;
mod retries;
mod run_diff;
mod runs;
mod safety;
#[cfg(feature = "sqlite")]
mod sqlite;
mod store;
mod suspend;
mod world;
