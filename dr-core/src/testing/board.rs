use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

use super::Fault;
use crate::model::{Plane, RegionId};

/// Where a call arrives: what a fault is matched against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallSite<'a> {
    /// The region whose endpoint was called. Route 53's API is a call to `us-east-1`.
    pub region: &'a RegionId,
    /// The plane that serves the call.
    pub plane: Plane,
    /// `rds:FailoverGlobalCluster`, `k8s:patch deployments/scale`, `app:POST /orders`.
    pub operation: &'a str,
}

/// A fault and the calls that it hits; an absent condition matches every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRule {
    /// Only calls to this region's endpoints.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Only calls served by this plane.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plane: Option<Plane>,
    /// Only this operation; a trailing `*` matches any rest (`rds:*`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Let this many matching calls pass before the first hit.
    #[serde(default)]
    pub skip: u32,
    /// Hit this many calls, then be spent; absent means until removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u32>,
    /// What happens to the call.
    pub fault: Fault,
}

impl FaultRule {
    /// A rule that hits every call until removed.
    #[must_use]
    pub fn new(fault: Fault) -> Self {
        Self { region: None, plane: None, operation: None, skip: 0, times: None, fault }
    }

    /// Narrows the rule to one operation, or to those that start alike (`rds:*`).
    #[must_use]
    pub fn on(mut self, operation: impl Into<String>) -> Self {
        self.operation = Some(operation.into());
        self
    }

    /// Narrows the rule to one region.
    #[must_use]
    pub fn at(mut self, region: RegionId) -> Self {
        self.region = Some(region);
        self
    }

    /// Narrows the rule to one plane.
    #[must_use]
    pub fn in_plane(mut self, plane: Plane) -> Self {
        self.plane = Some(plane);
        self
    }

    /// Lets `n` calls pass first.
    #[must_use]
    pub fn after(mut self, n: u32) -> Self {
        self.skip = n;
        self
    }

    /// Hits `n` calls and no more.
    #[must_use]
    pub fn times(mut self, n: u32) -> Self {
        self.times = Some(n);
        self
    }

    fn matches(&self, site: &CallSite<'_>) -> bool {
        self.region.as_ref().is_none_or(|region| region == site.region)
            && self.plane.is_none_or(|plane| plane == site.plane)
            && self.operation.as_deref().is_none_or(|pattern| match pattern.strip_suffix('*') {
                Some(prefix) => site.operation.starts_with(prefix),
                None => pattern == site.operation,
            })
    }
}

/// The handle of a rule on the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RuleId(pub u64);

/// The switches of a world: one for each plane of each region, and rules for single operations.
///
/// Clones share one board. A rule wins over a plane's switch; among rules the oldest wins.
///
/// ```
/// use dr_core::{model::{Plane, RegionId}, testing::{CallSite, Fault, FaultBoard, FaultRule}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let region = RegionId::new("us-east-1")?;
/// let board = FaultBoard::new();
/// board.switch(&region, Plane::Control, Some(Fault::BlackHole));
/// let site = CallSite { region: &region, plane: Plane::Control, operation: "rds:DescribeGlobalClusters" };
/// assert_eq!(board.decide(&site), Some(Fault::BlackHole));
///
/// board.add(FaultRule::new(Fault::Throttle).on("rds:*").times(1));
/// assert_eq!(board.decide(&site), Some(Fault::Throttle));
/// assert_eq!(board.decide(&site), Some(Fault::BlackHole));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct FaultBoard {
    state: Arc<Mutex<State>>,
    changed: Arc<watch::Sender<u64>>,
}

#[derive(Debug, Default)]
struct State {
    planes: BTreeMap<(RegionId, Plane), Fault>,
    rules: BTreeMap<RuleId, FaultRule>,
    next: u64,
}

impl Default for FaultBoard {
    fn default() -> Self {
        Self { state: Arc::default(), changed: Arc::new(watch::Sender::new(0)) }
    }
}

impl FaultBoard {
    /// A board with every switch off.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announce(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Sets or clears the switch of one plane of one region.
    pub fn switch(&self, region: &RegionId, plane: Plane, fault: Option<Fault>) {
        {
            let mut state = self.state();
            match fault {
                Some(fault) => state.planes.insert((region.clone(), plane), fault),
                None => state.planes.remove(&(region.clone(), plane)),
            };
        }
        self.announce();
    }

    /// Sets or clears all four switches of a region.
    pub fn switch_region(&self, region: &RegionId, fault: Option<Fault>) {
        for plane in Plane::ALL {
            self.switch(region, plane, fault);
        }
    }

    /// The fault that a plane's switch is set to.
    #[must_use]
    pub fn plane(&self, region: &RegionId, plane: Plane) -> Option<Fault> {
        self.state().planes.get(&(region.clone(), plane)).copied()
    }

    /// Puts a rule on the board.
    pub fn add(&self, rule: FaultRule) -> RuleId {
        let id = {
            let mut state = self.state();
            state.next += 1;
            let id = RuleId(state.next);
            state.rules.insert(id, rule);
            id
        };
        self.announce();
        id
    }

    /// Takes a rule off the board; false when it was not (or no longer) there.
    pub fn remove(&self, id: RuleId) -> bool {
        let removed = self.state().rules.remove(&id).is_some();
        self.announce();
        removed
    }

    /// Turns every switch off and removes every rule.
    pub fn clear(&self) {
        {
            let mut state = self.state();
            state.planes.clear();
            state.rules.clear();
        }
        self.announce();
    }

    /// The rules that are left, oldest first.
    #[must_use]
    pub fn rules(&self) -> Vec<(RuleId, FaultRule)> {
        self.state().rules.iter().map(|(id, rule)| (*id, rule.clone())).collect()
    }

    /// What happens to this call. Counts as one call against the rules that match it.
    #[must_use]
    pub fn decide(&self, site: &CallSite<'_>) -> Option<Fault> {
        let mut state = self.state();
        let mut hit = None;
        let mut spent = None;
        for (id, rule) in &mut state.rules {
            if !rule.matches(site) {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if let Some(times) = &mut rule.times {
                *times = times.saturating_sub(1);
                if *times == 0 {
                    spent = Some(*id);
                }
            }
            hit = Some(rule.fault);
            break;
        }
        if let Some(id) = spent {
            state.rules.remove(&id);
        }
        hit.or_else(|| state.planes.get(&(site.region.clone(), site.plane)).copied())
    }

    /// Whether a fault of this kind still stands for the call: on its plane's switch, or in a rule that is not spent.
    ///
    /// Counts against no rule. A double asks it after each change of the board, to learn whether a call that it holds
    /// in a black hole may go.
    #[must_use]
    pub fn stands(&self, site: &CallSite<'_>, fault: Fault) -> bool {
        let state = self.state();
        state.rules.values().any(|rule| rule.fault == fault && rule.matches(site))
            || state.planes.get(&(site.region.clone(), site.plane)) == Some(&fault)
    }

    /// Completes at the next change of the board: how a black-holed call learns that its region is back.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}
