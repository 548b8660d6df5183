use std::time::Duration;

use serde::{Deserialize, Serialize};

/// When a run has recovered its application: its health must turn green, and stay so.
///
/// A green light that goes out again was none: a cache that fills, a pool of connections that opens and a crash loop that
/// has not crashed yet all look well for some seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryGoal {
    /// How long health must stay green without a break.
    pub stays: Duration,
    /// How long after its last step the run watches. Health that has not stayed green by then makes the run fail.
    pub within: Duration,
}
