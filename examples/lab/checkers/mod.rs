//! Route 53's health checkers: they poll over real sockets as Route 53 polls, and tell the model what they saw.
//!
//! The interval runs from an answer to the next request, in every checker by itself, and no two checkers agree on when to begin (Route 53
//! Developer Guide, "How Amazon Route 53 determines whether a health check is healthy"). On loopback the kernel completes a black-holed
//! host's handshake, so that a black hole shows as an answer that never comes (2 s) and not as a connection that never does (4 s).

mod fleet;
mod poll;
mod probe;

pub use fleet::{CHECKERS, Checkers};
pub use poll::poll;
pub use probe::{HealthPlane, Probe, ProbeKind};
