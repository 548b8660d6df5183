use serde::{Deserialize, Serialize};

/// The status that Route 53 routes by, from what was observed.
///
/// A disabled check counts as healthy ("Route 53 considers the status of the health check to always be healthy"), a
/// check that has not been observed as well, and inversion comes last. So disabled and inverted is always unhealthy,
/// and inverting alone makes an endpoint that is truly down healthy. (API reference, `UpdateHealthCheck`.)
///
/// ```
/// use dr_core::detect::route53::effective_status;
///
/// assert!(effective_status(true, false, Some(false)), "disabling a check is no way to fail over");
/// assert!(!effective_status(true, true, Some(true)), "disabling and inverting it is");
/// assert!(effective_status(false, true, Some(false)), "inverting alone brings a lost endpoint back");
/// assert!(effective_status(false, false, None) && !effective_status(false, true, None), "new checks");
/// ```
#[must_use]
pub const fn effective_status(disabled: bool, inverted: bool, observed: Option<bool>) -> bool {
    let raw = match (disabled, observed) {
        (true, _) | (false, None) => true,
        (false, Some(healthy)) => healthy,
    };
    raw != inverted
}

/// Whether a calculated check is healthy, when `healthy` of its children are and `threshold` must be: a threshold of 0 is
/// always met, and one above the number of children never (API reference, `HealthThreshold`).
#[must_use]
pub const fn calculated(threshold: u32, healthy: usize) -> bool {
    healthy >= threshold as usize
}

/// What a check of a CloudWatch metric counts as while the alarm's data stream tells too little.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum InsufficientData {
    /// Healthy.
    Healthy,
    /// Unhealthy.
    Unhealthy,
    /// What it was when there was last enough; healthy if there never was.
    #[default]
    LastKnownStatus,
}

impl InsufficientData {
    /// The status, from what the data say now and what they said when they last said something. `None` is a check of
    /// which nothing was ever observed.
    #[must_use]
    pub const fn observed(self, now: Option<bool>, last_known: Option<bool>) -> Option<bool> {
        match (now, self) {
            (Some(healthy), _) => Some(healthy),
            (None, Self::Healthy) => Some(true),
            (None, Self::Unhealthy) => Some(false),
            (None, Self::LastKnownStatus) => last_known,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_row_of_the_effective_status() {
        for (disabled, inverted, observed, healthy) in [
            (false, false, None, true),
            (false, false, Some(true), true),
            (false, false, Some(false), false),
            (false, true, None, false),
            (false, true, Some(true), false),
            (false, true, Some(false), true),
            (true, false, None, true),
            (true, false, Some(true), true),
            (true, false, Some(false), true),
            (true, true, None, false),
            (true, true, Some(true), false),
            (true, true, Some(false), false),
        ] {
            let said = effective_status(disabled, inverted, observed);
            assert_eq!(said, healthy, "disabled {disabled}, inverted {inverted}, observed {observed:?}");
        }
    }

    #[test]
    fn every_row_of_insufficient_data() {
        use InsufficientData::{Healthy, LastKnownStatus, Unhealthy};
        for (policy, now, last, observed) in [
            (Healthy, None, Some(false), Some(true)),
            (Unhealthy, None, Some(true), Some(false)),
            (LastKnownStatus, None, Some(false), Some(false)),
            (LastKnownStatus, None, Some(true), Some(true)),
            (LastKnownStatus, None, None, None),
            (Healthy, Some(false), None, Some(false)),
            (Unhealthy, Some(true), None, Some(true)),
            (LastKnownStatus, Some(false), Some(true), Some(false)),
        ] {
            assert_eq!(policy.observed(now, last), observed, "{policy:?} {now:?} {last:?}");
        }
    }

    proptest! {
        #[test]
        fn a_calculated_check_needs_its_threshold(threshold in 0..300_u32, healthy in 0..255_usize) {
            prop_assert_eq!(calculated(threshold, healthy), u32::try_from(healthy).unwrap() >= threshold);
            prop_assert!(calculated(0, healthy));
            prop_assert!(!calculated(256, healthy), "at most 255 children");
        }
    }
}
