//! The lab from outside: over its sockets, with packets and requests that anybody could send.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed, and says so by panicking")]

mod by_hand;
mod failover;
mod steady;
mod whole;
