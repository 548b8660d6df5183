//! `cargo xtask mutants`: changes the pure parts one place at a time and sees whether their fast tests notice.
//!
//! cargo-mutants does the work, by `.cargo/mutants.toml`; this command brings it, says which tests belong to which part,
//! keeps what each shard found, and adds the shards up.

mod command;
mod found;
mod part;

pub(crate) use command::{report, run};
pub(crate) use part::{Part, find};
