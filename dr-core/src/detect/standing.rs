use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Opinion, Transition, Verdict, Why};
use crate::{model::RegionId, time::Monotonic};

/// What is held of one region at the moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Standing {
    /// The verdict.
    pub verdict: Verdict,
    /// Since when.
    pub since: Monotonic,
    /// The verdict and its reasons, in a sentence.
    pub why: String,
    /// The same as data: what each observer holds, and the readings behind it.
    pub because: Why,
}

/// What is held of every region that serves.
pub type Standings = BTreeMap<RegionId, Standing>;

impl Standing {
    /// How many observers hold the region lost at this moment: down, or gray where the verdict is a gray one. A verdict that
    /// hold-down alone keeps up has fewer of them than it once needed.
    #[must_use]
    pub fn against(&self) -> usize {
        let gray = self.because.gray;
        self.because.holding(|opinion| gray.map_or(opinion == Opinion::Down, |gray| gray.is_held_by(opinion))).count()
    }

    /// How many observers have an opinion at all.
    #[must_use]
    pub fn seeing(&self) -> usize {
        self.because.holding(|opinion| opinion != Opinion::Unknown).count()
    }
}

impl From<&Transition> for Standing {
    fn from(transition: &Transition) -> Self {
        Self {
            verdict: transition.to,
            since: transition.at,
            why: transition.to_string(),
            because: transition.why.clone(),
        }
    }
}
