use std::fmt;

use serde::{Deserialize, Serialize};

use super::Status;
use crate::plan::RecordRole;

/// Which of a failover pair is answered: the primary while it is healthy, and again when neither is (developer guide,
/// "How Route 53 chooses records when health checking is configured").
///
/// ```
/// use dr_core::detect::route53::takes_primary;
///
/// assert!(takes_primary(true, true) && takes_primary(true, false));
/// assert!(!takes_primary(false, true));
/// assert!(takes_primary(false, false), "with both lost, clients go to the lost primary");
/// ```
#[must_use]
pub const fn takes_primary(primary: bool, secondary: bool) -> bool {
    primary || !secondary
}

/// The target of an alias record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Target {
    /// Whether its own health decides about the record (`EvaluateTargetHealth`).
    pub evaluated: bool,
    /// Its own health. A balancer with one empty target group is unhealthy.
    pub healthy: bool,
}

/// One record of a failover pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The status of its health check; `None` when it has none, and counts as healthy by it.
    pub check: Option<Status>,
    /// What it is an alias of; `None` for plain addresses.
    pub target: Option<Target>,
}

impl Record {
    /// Whether it counts as healthy, and why: its check AND, for an alias that evaluates it, its target.
    #[must_use]
    pub fn status(&self) -> Status {
        let target = self.target.as_ref().filter(|target| target.evaluated);
        match (&self.check, target) {
            (Some(check), _) if !check.healthy => check.clone(),
            (_, Some(target)) if !target.healthy => {
                Status { healthy: false, because: "the target of the alias is unhealthy".to_owned() }
            }
            (Some(check), _) => check.clone(),
            (None, Some(_)) => Status { healthy: true, because: "the target of the alias is healthy".to_owned() },
            (None, None) => Status { healthy: true, because: "it has no health check, and always counts".to_owned() },
        }
    }
}

/// How an answer came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Answered {
    /// The primary is healthy.
    PrimaryIsHealthy,
    /// The primary is unhealthy, and the secondary healthy.
    PrimaryIsNot,
    /// Neither is healthy, and then the primary is answered.
    Neither,
}

/// What Route 53 answers, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Which record.
    pub role: RecordRole,
    /// Which row of the truth table that was.
    pub by: Answered,
    /// The primary's status.
    pub primary: Status,
    /// The secondary's.
    pub secondary: Status,
}

/// What Route 53 answers for a failover pair.
#[must_use]
pub fn answer(primary: &Record, secondary: &Record) -> Answer {
    let (primary, secondary) = (primary.status(), secondary.status());
    let (role, by) = match (takes_primary(primary.healthy, secondary.healthy), primary.healthy) {
        (true, true) => (RecordRole::Primary, Answered::PrimaryIsHealthy),
        (true, false) => (RecordRole::Primary, Answered::Neither),
        (false, _) => (RecordRole::Secondary, Answered::PrimaryIsNot),
    };
    Answer { role, by, primary, secondary }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { by, primary, secondary, .. } = self;
        match by {
            Answered::PrimaryIsHealthy => write!(f, "the primary, which is healthy: {}", primary.because),
            Answered::PrimaryIsNot => write!(
                f,
                "the secondary, which is healthy ({}), because the primary is not: {}",
                secondary.because, primary.because
            ),
            Answered::Neither => write!(
                f,
                "the primary, because neither is healthy: of the primary {}; of the secondary {}",
                primary.because, secondary.because
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn checked(healthy: bool) -> Record {
        Record { check: Some(Status { healthy, because: "said so".to_owned() }), target: None }
    }

    #[test]
    fn every_row_of_the_truth_table() {
        for (primary, secondary, role, by) in [
            (true, Some(true), RecordRole::Primary, Answered::PrimaryIsHealthy),
            (true, Some(false), RecordRole::Primary, Answered::PrimaryIsHealthy),
            (true, None, RecordRole::Primary, Answered::PrimaryIsHealthy),
            (false, Some(true), RecordRole::Secondary, Answered::PrimaryIsNot),
            (false, Some(false), RecordRole::Primary, Answered::Neither),
            (false, None, RecordRole::Secondary, Answered::PrimaryIsNot),
        ] {
            let said = answer(&checked(primary), &secondary.map(checked).unwrap_or_default());
            assert_eq!((said.role, said.by), (role, by), "primary {primary}, secondary {secondary:?}");
        }
    }

    #[test]
    fn an_alias_is_its_check_and_its_target() {
        for (check, evaluated, target, healthy) in [
            (None, false, false, true),
            (None, true, false, false),
            (None, true, true, true),
            (Some(true), true, true, true),
            (Some(true), true, false, false),
            (Some(true), false, false, true),
            (Some(false), true, true, false),
            (Some(false), false, true, false),
        ] {
            let record = Record {
                check: check.map(|healthy| Status { healthy, because: String::new() }),
                target: Some(Target { evaluated, healthy: target }),
            };
            assert_eq!(record.status().healthy, healthy, "check {check:?}, evaluated {evaluated}, target {target}");
        }
    }

    proptest! {
        #[test]
        fn a_healthier_primary_never_moves_traffic_away_from_it(primary: bool, secondary: bool) {
            prop_assert!(takes_primary(true, secondary) || !takes_primary(primary, secondary));
        }
    }
}
