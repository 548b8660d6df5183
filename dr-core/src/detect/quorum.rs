use std::{fmt, sync::Arc, time::Duration};

use super::{
    Detector, InvalidPolicy, QuorumPolicy, Transition, Verdict, Why,
    ballot::Ballot,
    timeline::{Machine as _, Timeline},
    transition::explain,
};
use crate::{
    model::RegionId,
    probe::{Health, Observation},
    time::Monotonic,
};

/// The verdict of k of n observers on one region.
///
/// - Unhealthy takes a majority, someone outside the pair of regions among it, that has agreed for the dwell. No seat
///   in the majority belongs to the judged region.
/// - An observer that could not look, is impaired or has fallen silent has no opinion, and no opinion is never a vote
///   against the region. With too few opinions left the verdict is [`Verdict::Unknown`], at once.
/// - Once unhealthy, it stays so for the hold-down at least, and until a majority holds the region better.
/// - Transactions that fail while infrastructure checks pass are a gray failure: degraded, and unhealthy after a dwell
///   of their own if the policy says so.
///
/// The verdict is a function of the set of observations of the last `stale_after`, not of the order in which they
/// arrive: a late one can take back a verdict that its absence had brought about.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{
///     detect::{CheckPolicy, Detector, Observer, Quorum, QuorumPolicy, Verdict},
///     probe::{CheckKind, Latency, Observation, Outcome, Reading, Subject},
///     time::{Monotonic, Timestamp},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let s = Duration::from_secs;
/// let observers = ["us-east-1", "eu-west-1", "eu-central-1"];
/// let mut quorum = Quorum::new(QuorumPolicy {
///     region: "us-east-1".parse()?,
///     pair: vec!["us-east-1".parse()?, "eu-west-1".parse()?],
///     observers: observers
///         .iter()
///         .map(|place| Ok(Observer { vantage: place.parse()?, region: Some(place.parse()?) }))
///         .collect::<Result<_, dr_core::model::InvalidId>>()?,
///     quorum: 2,
///     checks: vec![CheckPolicy {
///         probe: "storefront/health".parse()?,
///         kind: CheckKind::Infrastructure,
///         trip: 3,
///         clear: 5,
///         stale_after: s(35),
///     }],
///     dwell: s(0),
///     hold_down: s(300),
///     gray_dwell: None,
///     checks_fail_dwell: None,
///     damping: None,
///     suspicion: None,
/// })?;
/// for (round, place) in (0..3).flat_map(|round| observers.map(|place| (round, place))) {
///     quorum.observe(Observation {
///         subject: Subject::infrastructure("storefront/health".parse()?, "us-east-1".parse()?),
///         vantage: place.parse()?,
///         at: Monotonic::new(s(10 * round)),
///         wall: Timestamp::UNIX_EPOCH,
///         outcome: Outcome::Looked(Reading::unhealthy(Latency::default(), "connect timed out after 4 s")),
///     });
/// }
/// assert_eq!(quorum.verdict(), Verdict::Unhealthy);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Quorum {
    policy: Arc<QuorumPolicy>,
    timeline: Timeline<Ballot>,
}

impl Quorum {
    /// A quorum that has seen nothing yet.
    ///
    /// # Errors
    ///
    /// [`InvalidPolicy`] when the policy could trip on a minority, needs an observer in the judged region, or cannot
    /// reach a verdict at all.
    pub fn new(policy: QuorumPolicy) -> Result<Self, InvalidPolicy> {
        policy.validate()?;
        let window = policy.checks.iter().map(|check| check.stale_after).max().unwrap_or(Duration::ZERO);
        let policy = Arc::new(policy);
        Ok(Self { timeline: Timeline::new(Ballot::new(Arc::clone(&policy)), window), policy })
    }

    /// The region judged.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.policy.region
    }

    /// Whether the region is asked to take writes. It is, unless said otherwise.
    #[must_use]
    pub fn takes_writes(&self) -> bool {
        self.timeline.current().takes_writes()
    }

    /// Says, from the latest moment on, whether the region is asked to take writes. Transactions that fail in a region
    /// that stands by are as they should be, and not a gray failure.
    pub fn ask_for_writes(&mut self, asked: bool) -> Option<Transition> {
        let from = self.verdict();
        if asked != self.takes_writes() {
            self.timeline.takes_writes(asked);
        }
        self.changed(from)
    }

    /// Whether a quorum of observers saw a transaction pass in their last look.
    #[must_use]
    pub fn sees_writes_pass(&self) -> bool {
        self.timeline.current().sees_writes(Health::Healthy)
    }

    /// Whether a quorum of observers saw a transaction fail in their last look.
    #[must_use]
    pub fn sees_writes_fail(&self) -> bool {
        self.timeline.current().sees_writes(Health::Unhealthy)
    }

    /// Whether a quorum of observers holds that transactions pass, by the threshold to clear, and none saw one fail
    /// since.
    #[must_use]
    pub fn holds_writes_passed(&self) -> bool {
        self.timeline.current().holds_writes()
    }

    /// Whether a quorum of observers holds that transactions fail, by the threshold to trip.
    #[must_use]
    pub fn holds_writes_failed(&self) -> bool {
        self.timeline.current().holds_writes_failed()
    }

    /// The latest moment it knows of.
    #[must_use]
    pub fn now(&self) -> Monotonic {
        self.timeline.current().now()
    }

    /// Why the verdict is what it is: the answer to "why did it (not) fail over?" as far as detection knows it.
    #[must_use]
    pub fn why(&self) -> Why {
        self.timeline.current().why()
    }

    /// The verdict and its reasons in one sentence, the same that a [`Transition`] says.
    #[must_use]
    pub fn sentence(&self) -> String {
        struct Sentence<'a>(&'a Quorum);
        impl fmt::Display for Sentence<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let verdict = self.0.verdict();
                write!(f, "{} {verdict}", self.0.region())?;
                explain(f, verdict, &self.0.why())
            }
        }
        Sentence(self).to_string()
    }

    fn changed(&self, from: Verdict) -> Option<Transition> {
        let to = self.verdict();
        (from != to).then(|| Transition {
            region: self.policy.region.clone(),
            from,
            to,
            at: self.timeline.current().now(),
            wall: self.timeline.wall(),
            why: self.why(),
        })
    }
}

impl Detector for Quorum {
    /// Observations of another region, by a stranger, or with a check that the policy does not list are ignored.
    fn observe(&mut self, o: Observation) -> Option<Transition> {
        let listed = o.subject.region == self.policy.region
            && self.policy.observers.iter().any(|observer| observer.vantage == o.vantage)
            && self.policy.checks.iter().any(|c| c.probe == o.subject.probe && c.kind == o.subject.kind);
        if !listed {
            return None;
        }
        let from = self.verdict();
        self.timeline.observe(o);
        self.changed(from)
    }

    fn tick(&mut self, now: Monotonic) -> Option<Transition> {
        let from = self.verdict();
        self.timeline.tick(now);
        self.changed(from)
    }

    fn verdict(&self) -> Verdict {
        self.timeline.current().verdict()
    }
}
