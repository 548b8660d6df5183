use serde::{Deserialize, Serialize};

/// Route 53 counts a check as healthy when more than this share of its checkers do. "Might change" (developer guide).
pub const QUORUM_PERCENT: usize = 18;

/// Whether a check is healthy, when `healthy` of `checkers` say so.
///
/// ```
/// use dr_core::detect::route53::quorum;
///
/// assert!(!quorum(2, 16) && quorum(3, 16), "of sixteen checkers three keep an endpoint healthy");
/// ```
#[must_use]
pub const fn quorum(healthy: usize, checkers: usize) -> bool {
    healthy.saturating_mul(100) > checkers.saturating_mul(QUORUM_PERCENT)
}

/// One checker's opinion of one check. It begins healthy, and as many results in a row as the threshold says turn it
/// round, either way alike: a threshold works in both directions (API reference, `FailureThreshold`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checker {
    healthy: bool,
    against: u32,
}

impl Default for Checker {
    fn default() -> Self {
        Self { healthy: true, against: 0 }
    }
}

impl Checker {
    /// Takes one result in; a threshold of 0 counts as 1.
    pub fn take(&mut self, passed: bool, threshold: u32) {
        if passed == self.healthy {
            self.against = 0;
            return;
        }
        self.against = self.against.saturating_add(1);
        if self.against >= threshold {
            *self = Self { healthy: passed, against: 0 };
        }
    }

    /// What it says.
    #[must_use]
    pub const fn is_healthy(&self) -> bool {
        self.healthy
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn eighteen_percent_is_not_enough() {
        assert!(!quorum(18, 100));
        assert!(quorum(19, 100));
        // Of sixteen checkers, three: 18.75 %.
        assert!(!quorum(2, 16));
        assert!(quorum(3, 16));
        assert!(!quorum(0, 1));
        assert!(!quorum(0, 0));
    }

    proptest! {
        #[test]
        fn more_healthy_checkers_never_make_it_worse(healthy in 0usize..50, more in 0usize..50) {
            let checkers = 100;
            prop_assert!(!quorum(healthy, checkers) || quorum(healthy + more, checkers));
        }

        /// A checker turns round exactly at the end of a run as long as the threshold, and both ways alike.
        #[test]
        fn a_checker_follows_runs_of_the_threshold(threshold in 1u32..=10, results in prop::collection::vec(any::<bool>(), 0..60)) {
            let mut checker = Checker::default();
            let mut expected = true;
            let mut run = 0;
            for passed in results {
                run = if passed == expected { 0 } else { run + 1 };
                if run == threshold {
                    expected = passed;
                    run = 0;
                }
                checker.take(passed, threshold);
                prop_assert_eq!(checker.is_healthy(), expected);
            }
        }
    }
}
