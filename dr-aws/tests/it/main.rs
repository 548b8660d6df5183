//! The integration tests of dr-aws: the double by itself, and the drivers against it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod aurora_global;
mod aurora_ungraceful;
mod breaker;
mod carry_out;
mod cloudwatch;
mod elasticache;
mod elasticache_global;
mod emulator;
mod faults;
mod foreign;
mod foreign_databases;
mod framework;
mod opinion;
mod rds;
mod route53;
mod s3;
mod s3_journal;
mod stage;
mod two_regions;
