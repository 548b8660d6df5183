//! dr-core's integration tests, in one binary.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on has failed, and what helps a test is a test too"
)]

#[cfg(all(unix, feature = "sqlite"))]
mod crash;
mod fuzz;
mod golden;
#[cfg(feature = "net")]
mod hostile;
#[cfg(feature = "net")]
mod names;
#[cfg(feature = "net")]
mod remote;
mod sampling;
#[cfg(feature = "net")]
mod sockets;
