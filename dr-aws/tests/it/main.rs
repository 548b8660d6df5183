//! The integration tests of dr-aws: the double by itself, and the drivers against it.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test that cannot go on says so by panicking"
)]

mod cloudwatch;
mod elasticache;
mod faults;
mod foreign;
mod foreign_databases;
mod framework;
mod rds;
mod route53;
mod s3;
mod stage;
mod two_regions;
