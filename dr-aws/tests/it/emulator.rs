//! The drivers against an emulator that we did not write: moto, where it is right.
//!
//! A double and a driver of the same hands may share one misunderstanding. moto keeps failover records, health checks
//! and conditional writes to S3; it moves no Aurora writer, so that what depends on one is the double's alone.

mod databases;
mod journal;
mod public_name;
mod server;
