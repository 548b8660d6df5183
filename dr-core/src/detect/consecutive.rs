use std::time::Duration;

use super::{
    Detector, Evidence, Opinion, Transition, Verdict, Why,
    streak::{Rule, Streak},
    timeline::{Input, Machine, Timeline},
};
use crate::{
    model::VantageId,
    probe::{Health, Observation, Subject},
    time::Monotonic,
};

/// One observer's view of one check: so many failures in a row trip it, so many passes clear it.
///
/// The thresholds are separate, unlike Route 53's, whose one number works both ways. While failures come in that are
/// not enough, the verdict is [`Verdict::Suspect`]. One observer is never enough to act on: see [`Quorum`](super::Quorum).
///
/// ```
/// use std::time::Duration;
/// use dr_core::{
///     detect::{Consecutive, Detector, Verdict},
///     probe::{Latency, Observation, Outcome, Reading, Subject},
///     time::{Monotonic, Timestamp},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let subject = Subject::infrastructure("storefront/health".parse()?, "us-east-1".parse()?);
/// let mut detector = Consecutive::new(subject.clone(), "eu-central-1".parse()?, 3, 2, Duration::from_secs(35));
/// let mut said = None;
/// for second in [0, 10, 20] {
///     said = detector.observe(Observation {
///         subject: subject.clone(),
///         vantage: "eu-central-1".parse()?,
///         at: Monotonic::new(Duration::from_secs(second)),
///         wall: Timestamp::UNIX_EPOCH,
///         outcome: Outcome::Looked(Reading::unhealthy(Latency::default(), "connection refused")),
///     });
/// }
/// assert_eq!(detector.verdict(), Verdict::Unhealthy);
/// assert_eq!(
///     said.map(|transition| transition.to_string()).as_deref(),
///     Some("us-east-1 unhealthy: 1 of 1 observers, 3 consecutive failures each; last: connection refused (eu-central-1)"),
/// );
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Consecutive {
    subject: Subject,
    vantage: VantageId,
    timeline: Timeline<One>,
}

#[derive(Clone, Debug)]
struct One {
    rule: Rule,
    now: Monotonic,
    streak: Streak,
}

impl Machine for One {
    fn step(&mut self, at: Monotonic, told: &[&Input]) {
        self.now = at;
        for input in told {
            if let Input::Observed(o) = input {
                self.streak.take(at, &o.outcome, &self.rule);
            }
        }
    }

    fn now(&self) -> Monotonic {
        self.now
    }
}

impl Consecutive {
    /// A detector of what `vantage` sees of `subject`. Thresholds of 0 count as 1; `stale_after` is the silence after
    /// which nothing is known, a little more than three intervals being usual.
    #[must_use]
    pub fn new(subject: Subject, vantage: VantageId, trip: u32, clear: u32, stale_after: Duration) -> Self {
        let rule = Rule { trip: trip.max(1), clear: clear.max(1), stale_after };
        let one = One { rule, now: Monotonic::ZERO, streak: Streak::default() };
        Self { subject, vantage, timeline: Timeline::new(one, stale_after) }
    }

    fn changed(&self, from: Verdict) -> Option<Transition> {
        let to = self.verdict();
        if from == to {
            return None;
        }
        let One { streak, now, .. } = self.timeline.current();
        let (opinion, health) = match to {
            Verdict::Healthy => (Opinion::Healthy, Health::Healthy),
            Verdict::Unhealthy | Verdict::Suspect | Verdict::Degraded | Verdict::Gray => {
                (Opinion::Down, Health::Unhealthy)
            }
            Verdict::Unknown => (Opinion::Unknown, Health::Unhealthy),
        };
        let evidence = streak.last().map(|(at, last)| Evidence {
            vantage: self.vantage.clone(),
            probe: self.subject.probe.clone(),
            kind: self.subject.kind,
            opinion,
            streak: streak.run_of(health),
            last: last.to_owned(),
            at,
        });
        let why = Why {
            quorum: 1,
            observers: vec![(self.vantage.clone(), opinion)],
            evidence: evidence.into_iter().collect(),
            ..Why::default()
        };
        Some(Transition { region: self.subject.region.clone(), from, to, at: *now, wall: self.timeline.wall(), why })
    }
}

impl Detector for Consecutive {
    /// Observations of another subject or from another place are not its business.
    fn observe(&mut self, o: Observation) -> Option<Transition> {
        if o.subject != self.subject || o.vantage != self.vantage {
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
        let One { rule, now, streak } = self.timeline.current();
        match streak.opinion(*now, rule) {
            None => Verdict::Unknown,
            Some((Health::Unhealthy, _)) => Verdict::Unhealthy,
            Some((Health::Healthy, _)) if streak.is_failing() => Verdict::Suspect,
            Some((Health::Healthy, _)) => Verdict::Healthy,
        }
    }
}
