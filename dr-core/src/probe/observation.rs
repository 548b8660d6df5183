use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Reading;
use crate::{
    error::Failure,
    model::{ProbeId, RegionId, VantageId},
    time::{Monotonic, Timestamp},
};

/// What a probe exercises. A region is judged by the agreement of kinds.
///
/// A gray failure is one that the failure detectors do not see while applications suffer (Huang et al., "Gray Failure:
/// The Achilles' Heel of Cloud-Scale Systems", HotOS 2017). Two kinds of check that disagree are how it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    /// Whether something answers: a port, `/health`, a status.
    Infrastructure,
    /// Whether the work gets done: a synthetic write, as a client would make it.
    Transaction,
}

impl fmt::Display for CheckKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Infrastructure => "infrastructure",
            Self::Transaction => "transaction",
        })
    }
}

/// What a probe looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Subject {
    /// The check's name, the same wherever it is run from: `storefront/write`.
    pub probe: ProbeId,
    /// The region that it judges.
    pub region: RegionId,
    /// What it exercises.
    pub kind: CheckKind,
}

impl Subject {
    /// A check of whether something answers.
    #[must_use]
    pub fn infrastructure(probe: ProbeId, region: RegionId) -> Self {
        Self { probe, region, kind: CheckKind::Infrastructure }
    }

    /// A check of whether the work gets done.
    #[must_use]
    pub fn transaction(probe: ProbeId, region: RegionId) -> Self {
        Self { probe, region, kind: CheckKind::Transaction }
    }
}

/// What came of one look.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The probe looked, and this is what it saw.
    Looked(Reading),
    /// The probe could not look. It says nothing of the region, and never counts against it.
    CouldNotLook(Failure),
    /// The observer is not fit to judge: it cannot reach its control target, or cannot keep up. It has no vote.
    ObserverImpaired {
        /// Why not.
        reason: String,
    },
}

impl Outcome {
    /// What was seen, when something was.
    #[must_use]
    pub fn reading(&self) -> Option<&Reading> {
        match self {
            Self::Looked(reading) => Some(reading),
            Self::CouldNotLook(_) | Self::ObserverImpaired { .. } => None,
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Looked(reading) => f.write_str(&reading.reason),
            Self::CouldNotLook(failure) => write!(f, "could not look: {failure}"),
            Self::ObserverImpaired { reason } => write!(f, "observer impaired: {reason}"),
        }
    }
}

/// One look: at what, from where, when, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// What was looked at.
    pub subject: Subject,
    /// From where.
    pub vantage: VantageId,
    /// When the look ended, on the clock of whoever decides.
    pub at: Monotonic,
    /// The same moment in wall time, for people; nothing is decided by it.
    pub wall: Timestamp,
    /// What came of it.
    pub outcome: Outcome,
}
