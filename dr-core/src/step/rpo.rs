use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

/// How far a secondary was behind, and when that was so.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LagSample {
    /// How far the secondary was behind.
    pub lag: Duration,
    /// When: the beginning of the metric's period.
    pub at: Timestamp,
}

/// What is known of the writes that a promotion lost. Unknown is unknown, never zero.
///
/// A step that promotes with data loss allowed has one in its output, under `rpo`: the run's
/// [`Rpo`](crate::engine::Rpo) is read from there.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{step::{LagSample, RpoEvidence}, time::Timestamp};
///
/// let sample = LagSample { lag: Duration::from_millis(900), at: Timestamp::from_millis(60_000) };
/// let evidence = RpoEvidence::new(Some(sample), Timestamp::from_millis(100_000));
/// assert_eq!(evidence.estimate, Some(Duration::from_millis(40_900)));
/// assert_eq!(RpoEvidence::new(None, Timestamp::from_millis(100_000)).estimate, None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct RpoEvidence {
    /// The last lag that was told before the promotion.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_sample: Option<LagSample>,
    /// When the old primary was given up.
    pub given_up_at: Timestamp,
    /// At most this much is lost: the last lag, and the time since in which nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub estimate: Option<Duration>,
}

impl RpoEvidence {
    /// Evidence from the last sample and the moment at which the old primary was given up.
    #[must_use]
    pub fn new(last_sample: Option<LagSample>, given_up_at: Timestamp) -> Self {
        let estimate = last_sample.map(|sample| sample.lag + given_up_at.since(sample.at));
        Self { last_sample, given_up_at, estimate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_estimate_counts_the_time_without_samples() {
        let sample = LagSample { lag: Duration::from_millis(900), at: Timestamp::from_millis(60_000) };
        let evidence = RpoEvidence::new(Some(sample), Timestamp::from_millis(100_000));
        assert_eq!(evidence.estimate, Some(Duration::from_millis(40_900)));
    }

    #[test]
    fn unknown_stays_unknown() {
        let evidence = RpoEvidence::new(None, Timestamp::from_millis(100_000));
        assert_eq!(evidence.estimate, None);
        assert!(!serde_json::to_string(&evidence).unwrap().contains("estimate"));
    }
}
