use std::time::Duration;

use serde::{Deserialize, Serialize};

/// The shortest and the longest time from a fault to the reading that makes the verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DetectionBounds {
    /// When every look is refused at once, and the first comes right after the fault.
    pub min: Duration,
    /// When every look runs into its timeout, and the fault came right after a good one.
    pub max: Duration,
}

impl DetectionBounds {
    /// Whether `measured` lies inside, ends included.
    #[must_use]
    pub fn contains(&self, measured: Duration) -> bool {
        self.min <= measured && measured <= self.max
    }

    /// The bounds when the verdict must also stand for `dwell`.
    #[must_use]
    pub fn after_dwell(self, dwell: Duration) -> Self {
        Self { min: self.min.saturating_add(dwell), max: self.max.saturating_add(dwell) }
    }
}

/// How long `threshold` consecutive failures take when the next look begins `interval` after the last one *ended*.
///
/// That is how Route 53's checkers pace themselves ("the number of seconds between the time that Route 53 gets a
/// response and the time that it sends the next request", API reference, `HealthCheckConfig.RequestInterval`), so the
/// longest time is `I + N*T + (N-1)*I`: 42 s for 10 s, 4 s and 3, where three refusals take 20 to 30 s. Looks that
/// begin at a fixed rate are never slower, as long as the timeout fits into the interval: see [`fixed_rate_bounds`].
///
/// The bounds are of one observer's checks. A quorum of observers lies inside them too, since each member does.
///
/// ```
/// use std::time::Duration;
/// use dr_core::detect::detection_bounds;
///
/// let s = Duration::from_secs;
/// let black_hole = detection_bounds(s(10), s(4), 3);
/// assert_eq!((black_hole.min, black_hole.max), (s(20), s(42)));
/// let refused = detection_bounds(s(10), s(0), 3);
/// assert_eq!((refused.min, refused.max), (s(20), s(30)));
/// ```
#[must_use]
pub fn detection_bounds(interval: Duration, timeout: Duration, threshold: u32) -> DetectionBounds {
    let threshold = threshold.max(1);
    let min = interval.saturating_mul(threshold - 1);
    let max = interval.saturating_add(timeout.saturating_mul(threshold)).saturating_add(min);
    DetectionBounds { min, max }
}

/// How long `threshold` consecutive failures take when looks *begin* at a fixed rate, as the sampler's do.
///
/// A look that takes longer than `interval` makes the next one begin at the next whole interval, so with
/// `P = I * max(1, ceil(T / I))` the longest time is `I + (N-1)*P + T`: 34 s for 10 s, 4 s and 3.
#[must_use]
pub fn fixed_rate_bounds(interval: Duration, timeout: Duration, threshold: u32) -> DetectionBounds {
    let threshold = threshold.max(1);
    let min = interval.saturating_mul(threshold - 1);
    let slots = match interval.as_nanos() {
        0 => 1,
        nanos => u32::try_from(timeout.as_nanos().div_ceil(nanos)).unwrap_or(u32::MAX).max(1),
    };
    let spacing = interval.saturating_mul(slots);
    let max = interval.saturating_add(spacing.saturating_mul(threshold - 1)).saturating_add(timeout);
    DetectionBounds { min, max }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn s(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn route_53_s_numbers_come_out() {
        assert_eq!(detection_bounds(s(10), s(4), 3).max, s(42));
        assert_eq!(detection_bounds(s(10), s(6), 3).max, s(48), "slow to connect, then silent");
        assert_eq!(detection_bounds(s(30), s(4), 3).max, s(102));
    }

    #[test]
    fn a_fixed_rate_is_quicker_and_slips_by_whole_intervals() {
        assert_eq!(fixed_rate_bounds(s(10), s(4), 3).max, s(34));
        assert_eq!(fixed_rate_bounds(s(10), s(12), 3).max, s(10 + 2 * 20 + 12));
        assert_eq!(fixed_rate_bounds(s(10), s(10), 3).max, s(40), "a look that just fits does not slip");
        assert_eq!(fixed_rate_bounds(s(0), s(4), 1).max, s(4));
    }
}
