use std::collections::BTreeMap;

use super::{Detector as _, Quorum, Transition};
use crate::{model::RegionId, probe::Observation, time::Monotonic};

/// The quorums of the regions between which one application fails over, of which one takes the writes.
///
/// Which region that is changes with each failover, and is read from the writes themselves: a region whose transactions
/// pass is asked for them from then on; a region whose transactions fail while another's pass stands by. As long as no
/// region takes them, nobody is excused, so a gray failure of the writer is seen. An application that writes in several
/// regions at once needs a [`Quorum`] for each, by itself.
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
pub struct Quorums(BTreeMap<RegionId, Quorum>);

impl Quorums {
    /// Quorums that have seen nothing yet; `writer` takes the writes in steady state.
    pub fn new(quorums: impl IntoIterator<Item = Quorum>, writer: &RegionId) -> Self {
        let mut quorums: BTreeMap<RegionId, Quorum> =
            quorums.into_iter().map(|quorum| (quorum.region().clone(), quorum)).collect();
        for (region, quorum) in &mut quorums {
            // Nothing was seen, so the verdict is unknown either way.
            quorum.ask_for_writes(region == writer);
        }
        Self(quorums)
    }

    /// The quorum of a region.
    #[must_use]
    pub fn get(&self, region: &RegionId) -> Option<&Quorum> {
        self.0.get(region)
    }

    /// Every quorum, in order of region.
    pub fn iter(&self) -> impl Iterator<Item = &Quorum> {
        self.0.values()
    }

    /// Takes one observation in, and gives every verdict that changed by it.
    pub fn observe(&mut self, o: Observation) -> Vec<Transition> {
        let seen = self.0.get_mut(&o.subject.region).and_then(|quorum| quorum.observe(o));
        self.follow_the_writer(seen)
    }

    /// Lets time pass up to `now`, and gives every verdict that changed by it.
    pub fn tick(&mut self, now: Monotonic) -> Vec<Transition> {
        let passed: Vec<Transition> = self.0.values_mut().filter_map(|quorum| quorum.tick(now)).collect();
        self.follow_the_writer(passed)
    }

    /// Asks for writes where they pass, and no longer where they fail while they pass elsewhere.
    fn follow_the_writer(&mut self, already: impl IntoIterator<Item = Transition>) -> Vec<Transition> {
        let mut changed: Vec<Transition> = already.into_iter().collect();
        let writers: Vec<RegionId> = self.iter().filter(|q| q.sees_writes()).map(|q| q.region().clone()).collect();
        for (region, quorum) in &mut self.0 {
            let elsewhere = !writers.is_empty() && !writers.contains(region);
            let asked = match quorum.takes_writes() {
                true => !elsewhere,
                false => quorum.holds_writes(),
            };
            changed.extend(quorum.ask_for_writes(asked));
        }
        changed
    }
}
