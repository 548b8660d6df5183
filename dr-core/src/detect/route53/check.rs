use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{InsufficientData, calculated, effective_status, quorum};

/// What a health check goes by, and what is seen of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "watches", rename_all = "kebab-case")]
pub enum Watches {
    /// An endpoint that checkers poll: so many of them say healthy. With no checkers nothing was observed yet.
    Endpoint {
        /// Checkers that say healthy.
        healthy: usize,
        /// Checkers that say anything.
        checkers: usize,
    },
    /// Other checks, of which so many must be healthy. A check that does not exist counts as healthy.
    Calculated {
        /// How many.
        threshold: u32,
        /// Their ids.
        children: Vec<String>,
    },
    /// The data stream of a CloudWatch alarm. It follows the data and not the alarm's state, so that nobody's
    /// `SetAlarmState` moves it.
    Metric {
        /// What the data say; `None` while they are too few.
        now: Option<bool>,
        /// What they said when they last said something.
        last_known: Option<bool>,
        /// What counts while they are too few.
        insufficient: InsufficientData,
    },
    /// An ARC routing control: on is healthy.
    RoutingControl {
        /// Whether it is on.
        on: bool,
    },
}

/// A health check.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What it goes by.
    #[serde(flatten)]
    pub watches: Watches,
    /// It is not looked at, and counts as healthy before inversion.
    pub disabled: bool,
    /// Its status counts the other way round.
    pub inverted: bool,
}

/// A status, and where it comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// Whether Route 53 routes to what the check is bound to.
    pub healthy: bool,
    /// Why, in words.
    pub because: String,
}

/// Health checks by id.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checks(pub BTreeMap<String, Check>);

/// How deep calculated checks are followed. AWS allows one level; a circle must end as well.
const DEPTH: u8 = 8;

impl Checks {
    /// The status of a check. One that does not exist is healthy, as a record is that names none; AWS calls what comes
    /// of a deleted check unpredictable.
    #[must_use]
    pub fn status(&self, id: &str) -> Status {
        self.below(id, DEPTH)
    }

    fn below(&self, id: &str, depth: u8) -> Status {
        let Some(check) = self.0.get(id) else {
            return Status { healthy: true, because: format!("there is no check {id}, which nobody can rely on") };
        };
        let (observed, seen) = match &check.watches {
            Watches::Endpoint { checkers: 0, .. } => (None, "no checker has looked yet".to_owned()),
            Watches::Endpoint { healthy, checkers } => (
                Some(quorum(*healthy, *checkers)),
                format!("{healthy} of {checkers} checkers say healthy, more than 18 % needed"),
            ),
            Watches::Calculated { threshold, children } => match depth.checked_sub(1) {
                None => (None, "checks are calculated from one another in a circle".to_owned()),
                Some(depth) => {
                    let healthy = children.iter().filter(|child| self.below(child, depth).healthy).count();
                    let of = children.len();
                    (
                        Some(calculated(*threshold, healthy)),
                        format!("{healthy} of {of} checks are healthy, {threshold} needed"),
                    )
                }
            },
            Watches::Metric { now, last_known, insufficient } => (
                insufficient.observed(*now, *last_known),
                match now {
                    Some(true) => "the metric is within bounds".to_owned(),
                    Some(false) => "the metric is out of bounds".to_owned(),
                    None => format!("too few data, which counts as {insufficient:?}"),
                },
            ),
            Watches::RoutingControl { on } => {
                (Some(*on), format!("the routing control is {}", if *on { "on" } else { "off" }))
            }
        };
        let healthy = effective_status(check.disabled, check.inverted, observed);
        let seen = if check.disabled { "it is disabled, which counts as healthy".to_owned() } else { seen };
        let because = if check.inverted { format!("{seen}; and it is inverted") } else { seen };
        Status { healthy, because }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn endpoint(healthy: usize) -> Check {
        Check { watches: Watches::Endpoint { healthy, checkers: 16 }, disabled: false, inverted: false }
    }

    fn calculated_of(threshold: u32, children: &[&str]) -> Check {
        let children = children.iter().map(|child| (*child).to_owned()).collect();
        Check { watches: Watches::Calculated { threshold, children }, disabled: false, inverted: false }
    }

    fn checks(all: impl IntoIterator<Item = (&'static str, Check)>) -> Checks {
        Checks(all.into_iter().map(|(id, check)| (id.to_owned(), check)).collect())
    }

    #[test]
    fn every_row_of_a_calculated_check() {
        let children = ["well", "lost", "disabled", "disabled-inverted"];
        let all = |threshold| {
            checks([
                ("well", endpoint(16)),
                ("lost", endpoint(0)),
                ("disabled", Check { disabled: true, ..endpoint(0) }),
                ("disabled-inverted", Check { disabled: true, inverted: true, ..endpoint(16) }),
                ("calculated", calculated_of(threshold, &children)),
            ])
        };
        for (threshold, healthy) in [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false)] {
            let status = all(threshold).status("calculated");
            assert_eq!(
                status.healthy, healthy,
                "{threshold} of 4, of which a healthy one and a disabled one: {status:?}"
            );
        }
        let none = checks([
            ("zero", calculated_of(0, &["lost"])),
            ("lost", endpoint(0)),
            ("two", calculated_of(2, &["lost"])),
        ]);
        assert!(none.status("zero").healthy, "0 is always healthy");
        assert!(!none.status("two").healthy, "more than there are children is always unhealthy");
    }

    #[test]
    fn eighteen_percent_of_the_checkers_and_a_new_check() {
        let new = Check { watches: Watches::Endpoint { healthy: 0, checkers: 0 }, disabled: false, inverted: false };
        let all = checks([
            ("two", endpoint(2)),
            ("three", endpoint(3)),
            ("new", new.clone()),
            ("new-inverted", Check { inverted: true, ..new }),
        ]);
        let healthy: Vec<_> = ["two", "three", "new", "new-inverted", "none"].map(|id| all.status(id).healthy).into();
        assert_eq!(healthy, [false, true, true, false, true]);
        assert_eq!(all.status("two").because, "2 of 16 checkers say healthy, more than 18 % needed");
    }

    #[test]
    fn checks_in_a_circle_end() {
        let all = checks([("a", calculated_of(1, &["b"])), ("b", calculated_of(1, &["a"]))]);
        assert!(all.status("a").healthy, "as one that was never observed");
    }
}
