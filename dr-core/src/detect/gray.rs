use std::fmt;

use serde::{Deserialize, Serialize};

use super::Opinion;

/// Two kinds of check that disagree about a region, by differential observability (Huang et al., "Gray Failure: The
/// Achilles' Heel of Cloud-Scale Systems", HotOS 2017).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GrayFailure {
    /// Synthetic writes fail while infrastructure checks pass: the region looks well, and its clients are not served.
    WritesFail,
    /// Infrastructure checks fail while synthetic writes pass: the region looks lost, and its clients are served. It is
    /// the checks, or what they look at, that is broken.
    ChecksFail,
}

impl GrayFailure {
    /// Whether an observer of this opinion agrees. One for whom everything fails does, of either.
    #[must_use]
    pub fn is_held_by(self, opinion: Opinion) -> bool {
        opinion == Opinion::Down
            || opinion
                == match self {
                    Self::WritesFail => Opinion::WritesFail,
                    Self::ChecksFail => Opinion::ChecksFail,
                }
    }
}

impl fmt::Display for GrayFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::WritesFail => "transactions fail while infrastructure checks pass",
            Self::ChecksFail => "infrastructure checks fail while transactions pass",
        })
    }
}
