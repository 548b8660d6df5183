use std::collections::BTreeMap;

use dr_core::{
    detect::route53::{Checker, quorum},
    time::Timestamp,
};

/// What one checker saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckResult {
    /// Whether the check passed.
    pub passed: bool,
    /// What the checker has to say, as `GetHealthCheckStatus` shows it.
    pub report: String,
}

impl CheckResult {
    /// A pass: `Success: HTTP Status Code 200, OK`.
    #[must_use]
    pub fn success(detail: impl std::fmt::Display) -> Self {
        Self { passed: true, report: format!("Success: {detail}") }
    }

    /// A failure: `Failure: Connection timed out. …`.
    #[must_use]
    pub fn failure(detail: impl std::fmt::Display) -> Self {
        Self { passed: false, report: format!("Failure: {detail}") }
    }
}

/// One checker's opinion of one check.
#[derive(Clone, Debug)]
pub(super) struct Opinion {
    checker: Checker,
    pub(super) last: (Timestamp, String),
    pub(super) last_failure: Option<(Timestamp, String)>,
}

/// What all checkers say of one check.
#[derive(Clone, Debug, Default)]
pub(super) struct Opinions {
    pub(super) by_checker: BTreeMap<String, Opinion>,
}

impl Opinions {
    /// Takes a checker's result in; `threshold` results in a row turn the checker round, either way.
    pub(super) fn add(&mut self, checker: &str, threshold: u32, at: Timestamp, result: CheckResult) {
        let CheckResult { passed, report } = result;
        let opinion = self.by_checker.entry(checker.to_owned()).or_insert_with(|| Opinion {
            checker: Checker::default(),
            last: (at, String::new()),
            last_failure: None,
        });
        opinion.checker.take(passed, threshold);
        if !passed {
            opinion.last_failure = Some((at, report.clone()));
        }
        opinion.last = (at, report);
    }

    /// What they say together; nothing while nobody has looked.
    pub(super) fn verdict(&self) -> Option<bool> {
        let checkers = self.by_checker.len();
        let healthy = self.by_checker.values().filter(|opinion| opinion.checker.is_healthy()).count();
        (checkers > 0).then(|| quorum(healthy, checkers))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn result(passed: bool) -> CheckResult {
        CheckResult { passed, report: String::new() }
    }

    proptest! {
        /// A checker turns round exactly at the end of a run as long as the threshold, and both ways alike.
        #[test]
        fn a_checker_follows_runs_of_the_threshold(threshold in 1u32..=10, results in prop::collection::vec(any::<bool>(), 0..60)) {
            let mut opinions = Opinions::default();
            let mut expected = true;
            let mut run = 0;
            for passed in results {
                run = if passed == expected { 0 } else { run + 1 };
                if run == threshold {
                    expected = passed;
                    run = 0;
                }
                opinions.add("us-east-1/1", threshold, Timestamp::UNIX_EPOCH, result(passed));
                prop_assert_eq!(opinions.verdict(), Some(expected));
            }
        }
    }

    #[test]
    fn nobody_has_looked_yet() {
        assert_eq!(Opinions::default().verdict(), None);
    }
}
