use std::{collections::BTreeSet, fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{Damping, Suspicion};
use crate::{
    error::{Effect, Error, ErrorKind},
    model::{ProbeId, RegionId, VantageId},
    probe::CheckKind,
};

/// A place that observes, and where it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Observer {
    /// Its name.
    pub vantage: VantageId,
    /// The region it runs in; `None` when in no region, such as an office.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
}

/// How the readings of one check count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckPolicy {
    /// The check.
    pub probe: ProbeId,
    /// What it exercises.
    pub kind: CheckKind,
    /// Failures in a row until an observer holds the check failed.
    pub trip: u32,
    /// Passes in a row until an observer holds it passed. More than `trip` damps flapping.
    pub clear: u32,
    /// Silence after which an observer's readings are worth nothing; longer than an interval and a timeout.
    pub stale_after: Duration,
}

/// When observers together hold a region lost.
///
/// Every check of every kind must fail for an observer to hold the region down, except checks that could not be made:
/// those abstain, but a kind of which nothing is known keeps the observer from saying down. A single failing service
/// therefore degrades a region and does not lose it, unlike a load balancer's target health (Elastic Load Balancing
/// counts a balancer with one empty target group as unhealthy, and Route 53 follows it).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuorumPolicy {
    /// The region judged.
    pub region: RegionId,
    /// The regions between which a failover would move; an observer in none of them has to agree.
    pub pair: Vec<RegionId>,
    /// Who observes.
    pub observers: Vec<Observer>,
    /// How many of them must agree: more than half.
    pub quorum: usize,
    /// What they check.
    pub checks: Vec<CheckPolicy>,
    /// How long they must keep agreeing before the verdict stands.
    pub dwell: Duration,
    /// How long the verdict stays unhealthy at least, whatever is seen. It may turn unknown.
    pub hold_down: Duration,
    /// After how long a region whose writes fail while its infrastructure checks pass counts as unhealthy; `None` for
    /// never: it stays gray.
    pub gray_dwell: Option<Duration>,
    /// The same of a region whose infrastructure checks fail while its writes pass. Clients of such a region are served,
    /// and most who run one want `None`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks_fail_dwell: Option<Duration>,
    /// When a verdict that keeps changing is suspended; `None` for never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damping: Option<Damping>,
    /// When a wait for a good look is suspicious; `None` for never. It makes a healthy region suspect, and no more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspicion: Option<Suspicion>,
}

/// A policy that cannot work, with every reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidPolicy {
    /// The region it judges.
    pub region: RegionId,
    /// What is wrong, and what to do about it.
    pub problems: Vec<String>,
}

impl fmt::Display for InvalidPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no quorum can judge {}: {}", self.region, self.problems.join("; "))
    }
}

impl std::error::Error for InvalidPolicy {}

impl From<InvalidPolicy> for Error {
    fn from(invalid: InvalidPolicy) -> Self {
        Self::new(ErrorKind::Invalid, invalid.to_string()).with_effect(Effect::NotApplied)
    }
}

impl QuorumPolicy {
    /// Whether `observer` sits outside every region that a failover would move between.
    #[must_use]
    pub fn is_outside(&self, observer: &Observer) -> bool {
        observer.region.as_ref().is_none_or(|place| *place != self.region && !self.pair.contains(place))
    }

    /// Looks for everything that would make the verdict unsafe or impossible.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicy`] with every problem.
    pub fn validate(&self) -> Result<(), InvalidPolicy> {
        let mut problems = Vec::new();
        let (n, k) = (self.observers.len(), self.quorum);
        if k > n {
            problems.push(format!("{k} of {n} observers can never agree: add observers or ask for fewer"));
        }
        if k.saturating_mul(2) <= n {
            problems.push(format!("{k} of {n} observers is no majority: ask for at least {}", n / 2 + 1));
        }
        if !self.observers.iter().any(|o| self.is_outside(o)) {
            problems.push("every observer sits in a region of the pair: add one elsewhere".to_owned());
        }
        let elsewhere = self.observers.iter().filter(|o| o.region.as_ref() != Some(&self.region)).count();
        if k <= n && elsewhere < k {
            problems.push(format!(
                "only {elsewhere} of {n} observers sit outside {}, and {k} must agree when it is gone: add observers elsewhere",
                self.region
            ));
        }
        problems.extend(self.damping.iter().flat_map(Damping::problems));
        problems.extend(self.suspicion.iter().flat_map(Suspicion::problems));
        let mut names = BTreeSet::new();
        for Observer { vantage, .. } in &self.observers {
            if !names.insert(vantage) {
                problems.push(format!("the observer {vantage} is listed twice and would vote twice"));
            }
        }
        if self.checks.is_empty() {
            problems.push("there are no checks".to_owned());
        }
        let mut names = BTreeSet::new();
        for CheckPolicy { probe, trip, clear, stale_after, .. } in &self.checks {
            if !names.insert(probe) {
                problems.push(format!("the check {probe} is listed twice"));
            }
            if *trip == 0 || *clear == 0 {
                problems.push(format!("the thresholds of {probe} must be 1 or more"));
            }
            if stale_after.is_zero() {
                problems.push(format!("the readings of {probe} are stale at once: give stale_after some intervals"));
            }
        }
        if problems.is_empty() { Ok(()) } else { Err(InvalidPolicy { region: self.region.clone(), problems }) }
    }
}
