use std::collections::BTreeMap;

use super::{Detector as _, Quorum, Transition};
use crate::{model::RegionId, probe::Observation, time::Monotonic};

/// The quorums of the regions between which one application fails over, of which one is the writer.
///
/// Only the writer's transactions count: a standby that refuses them, or fails to pass them on to a writer that is lost,
/// is not at fault. The writer changes with each failover. A run that moves it says so ([`writer_is`](Self::writer_is));
/// what nobody said is read from the writes. They have moved when they fail at the writer and pass where they had failed
/// after they last passed at the writer. Writes that passed in both regions all along tell nothing: a standby may pass
/// them on.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{
///     detect::{CheckPolicy, Observer, Quorum, QuorumPolicy, Quorums, Verdict},
///     probe::CheckKind,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let observer = Observer { vantage: "eu-central-1".parse()?, region: Some("eu-central-1".parse()?) };
/// let quorum = |region: &str| -> Result<Quorum, Box<dyn std::error::Error>> {
///     Ok(Quorum::new(QuorumPolicy {
///         region: region.parse()?,
///         pair: vec!["us-east-1".parse()?, "eu-west-1".parse()?],
///         observers: vec![observer.clone()],
///         quorum: 1,
///         checks: vec![CheckPolicy {
///             probe: "storefront/write".parse()?,
///             kind: CheckKind::Transaction,
///             trip: 3,
///             clear: 5,
///             stale_after: Duration::from_secs(35),
///         }],
///         dwell: Duration::ZERO,
///         hold_down: Duration::ZERO,
///         gray_dwell: None,
///         checks_fail_dwell: None,
///         damping: None,
///         suspicion: None,
///     })?)
/// };
/// let quorums = Quorums::new([quorum("us-east-1")?, quorum("eu-west-1")?], &"us-east-1".parse()?);
/// let standing_by: Vec<_> = quorums.iter().filter(|quorum| !quorum.takes_writes()).collect();
/// assert_eq!(standing_by.len(), 1);
/// assert_eq!(standing_by[0].region(), "eu-west-1");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Quorums {
    by_region: BTreeMap<RegionId, Quorum>,
    writer: RegionId,
    /// When transactions were last seen to pass, and when they were last held to fail.
    passed: BTreeMap<RegionId, Monotonic>,
    failed: BTreeMap<RegionId, Monotonic>,
}

impl Quorums {
    /// Quorums that have seen nothing yet; `writer` takes the writes in steady state.
    pub fn new(quorums: impl IntoIterator<Item = Quorum>, writer: &RegionId) -> Self {
        let mut by_region: BTreeMap<RegionId, Quorum> =
            quorums.into_iter().map(|quorum| (quorum.region().clone(), quorum)).collect();
        for (region, quorum) in &mut by_region {
            // Nothing was seen, so the verdict is unknown either way.
            quorum.ask_for_writes(region == writer);
        }
        Self { by_region, writer: writer.clone(), passed: BTreeMap::new(), failed: BTreeMap::new() }
    }

    /// The quorum of a region.
    #[must_use]
    pub fn get(&self, region: &RegionId) -> Option<&Quorum> {
        self.by_region.get(region)
    }

    /// Every quorum, in order of region.
    pub fn iter(&self) -> impl Iterator<Item = &Quorum> {
        self.by_region.values()
    }

    /// The region that is held to take the writes.
    #[must_use]
    pub fn writer(&self) -> &RegionId {
        &self.writer
    }

    /// Says which region takes the writes from now on. Its transactions count once they have passed there.
    pub fn writer_is(&mut self, region: &RegionId) -> Vec<Transition> {
        self.writer.clone_from(region);
        self.ask_the_writer()
    }

    /// Takes one observation in, and gives every verdict that changed by it.
    pub fn observe(&mut self, o: Observation) -> Vec<Transition> {
        let region = o.subject.region.clone();
        let Some(quorum) = self.by_region.get_mut(&region) else { return Vec::new() };
        let mut changed: Vec<Transition> = quorum.observe(o).into_iter().collect();
        if quorum.sees_writes_pass() {
            self.passed.insert(region.clone(), quorum.now());
        }
        if quorum.holds_writes_failed() {
            self.failed.insert(region, quorum.now());
        }
        self.follow_the_writer();
        changed.extend(self.ask_the_writer());
        changed
    }

    /// Lets time pass up to `now`, and gives every verdict that changed by it.
    pub fn tick(&mut self, now: Monotonic) -> Vec<Transition> {
        self.by_region.values_mut().filter_map(|quorum| quorum.tick(now)).collect()
    }

    fn follow_the_writer(&mut self) {
        if !self.get(&self.writer).is_some_and(Quorum::sees_writes_fail) {
            return;
        }
        let last_passed = self.passed.get(&self.writer);
        let moved_to = self.by_region.iter().find(|(region, quorum)| {
            let failed_since = match (last_passed, self.failed.get(*region)) {
                (Some(passed), Some(failed)) => failed >= passed,
                (Some(_), None) => false,
                // The writer was never seen to write: whoever does is the writer.
                (None, _) => true,
            };
            **region != self.writer && failed_since && quorum.sees_writes_pass()
        });
        if let Some((region, _)) = moved_to {
            self.writer = region.clone();
        }
    }

    fn ask_the_writer(&mut self) -> Vec<Transition> {
        let mut changed = Vec::new();
        for (region, quorum) in &mut self.by_region {
            let asked = *region == self.writer && (quorum.takes_writes() || quorum.holds_writes_passed());
            changed.extend(quorum.ask_for_writes(asked));
        }
        changed
    }
}
