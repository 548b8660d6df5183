//! The crate's integration tests, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and says so by panicking"
)]

mod deployments;
mod double;
