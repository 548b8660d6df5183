//! For how long an engine may act on its lease.

use std::time::Duration;

use crate::time::Monotonic;

/// How much of a lease its holder counts on: five sixths. Whoever takes the run up next reads the lease's end on a wall of its
/// own, and the walls of two machines differ; a holder that counted on the whole of it could act while a successor does.
pub(super) fn usable(ttl: Duration) -> Duration {
    ttl.saturating_sub(ttl / 6)
}

/// What is left, at `now`, of a lease of this length that was asked for at `asked`.
pub(super) fn left(asked: Monotonic, now: Monotonic, ttl: Duration) -> Duration {
    (asked + usable(ttl)).since(now)
}
