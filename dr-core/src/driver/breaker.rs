use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use crate::{
    error::{Effect, Error, ErrorKind, Retry},
    model::{Plane, RegionId},
    time::{Monotonic, SharedClock},
};

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Calls without an answer, one after the other, that open it. 2 by default: one may be an accident of the network,
    /// and a breaker that opens by accident refuses calls to a region that is well.
    pub trip: u32,
    /// How long it refuses calls before it lets one through to look; 5 s by default. Doubles each time that this one
    /// gets no answer either.
    pub cooldown: Duration,
    /// No cooldown is longer; 15 s by default, so that a region which is back is found out soon.
    pub longest: Duration,
    /// After how long a call that was let through to look is given up, when nobody has said how it ended; 15 s by default.
    pub probe: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self { trip: 2, cooldown: s(5), longest: s(15), probe: s(15) }
    }
}

/// How a call ended, as far as a breaker cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallEnd {
    /// The far side answered, whatever it said: a throttled or refused call comes from an endpoint that is there.
    Answered,
    /// It could not be reached, or did not answer in time.
    Silent,
    /// The caller gave the call up, or it never left: nothing was learnt.
    Unknown,
}

/// A circuit breaker: after some calls without an answer it refuses the next ones at once, until it is time to look
/// again. Pure: it is told the moment.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{driver::{Breaker, BreakerPolicy, CallEnd}, time::Monotonic};
///
/// let policy = BreakerPolicy { trip: 2, ..BreakerPolicy::default() };
/// let at = |secs| Monotonic::new(Duration::from_secs(secs));
/// let mut breaker = Breaker::new(policy);
/// for secs in [0, 4] {
///     assert!(breaker.admit(at(secs)).is_ok());
///     breaker.ended(at(secs + 4), CallEnd::Silent);
/// }
/// assert_eq!(breaker.admit(at(9)), Err(Duration::from_secs(4)), "refused, and when to come back");
/// assert!(breaker.admit(at(13)).is_ok(), "one call looks");
/// assert!(breaker.admit(at(13)).is_err(), "and no other meanwhile");
/// breaker.ended(at(14), CallEnd::Answered);
/// assert!(breaker.admit(at(14)).is_ok());
/// ```
#[derive(Clone, Debug)]
pub struct Breaker {
    policy: BreakerPolicy,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Calls pass; so many in a row had no answer.
    Closed { silent: u32 },
    /// Calls are refused until then.
    Open { until: Monotonic, cooldown: Duration },
    /// One call looks; the others are refused until it has ended, or until then.
    HalfOpen { until: Monotonic, cooldown: Duration },
}

impl Breaker {
    /// A breaker that lets calls through.
    #[must_use]
    pub const fn new(policy: BreakerPolicy) -> Self {
        Self { policy, state: State::Closed { silent: 0 } }
    }

    /// Whether a call may be made now.
    ///
    /// # Errors
    ///
    /// How long to wait until it is worth asking again.
    pub fn admit(&mut self, now: Monotonic) -> Result<(), Duration> {
        match self.state {
            State::Closed { .. } => Ok(()),
            State::Open { until, .. } | State::HalfOpen { until, .. } if now < until => Err(until.since(now)),
            // A look that nobody told the end of is followed by another: a breaker never stays shut by forgetting.
            State::Open { cooldown, .. } | State::HalfOpen { cooldown, .. } => {
                self.state = State::HalfOpen { until: now + self.policy.probe, cooldown };
                Ok(())
            }
        }
    }

    /// Says how a call that was admitted has ended.
    pub fn ended(&mut self, now: Monotonic, end: CallEnd) {
        self.state = match (self.state, end) {
            (_, CallEnd::Answered) => State::Closed { silent: 0 },
            (State::Closed { silent }, CallEnd::Silent) if silent + 1 < self.policy.trip => {
                State::Closed { silent: silent + 1 }
            }
            (State::Closed { .. }, CallEnd::Silent) => self.open(now, self.policy.cooldown),
            (State::HalfOpen { cooldown, .. }, CallEnd::Silent) => {
                self.open(now, cooldown.saturating_mul(2).min(self.policy.longest))
            }
            // The look was given up: the next call looks, at once.
            (State::HalfOpen { cooldown, .. }, CallEnd::Unknown) => State::Open { until: now, cooldown },
            // Calls that were under way when it opened end late; they say nothing new.
            (state @ State::Open { .. }, CallEnd::Silent) | (state, CallEnd::Unknown) => state,
        };
    }

    fn open(&self, now: Monotonic, cooldown: Duration) -> State {
        State::Open { until: now + cooldown, cooldown }
    }

    /// Whether calls are refused, or one is looking.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.state, State::Closed { .. })
    }
}

/// A call that a breaker refused: nothing was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BreakerOpen {
    /// Where the call would have gone.
    pub region: RegionId,
    /// The plane that would have served it.
    pub plane: Plane,
    /// When it is worth asking again.
    pub retry_in: Duration,
}

impl fmt::Display for BreakerOpen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { region, plane, retry_in } = self;
        write!(
            f,
            "{region} ({plane}) did not answer the last calls: not called again for {:.1} s",
            retry_in.as_secs_f64()
        )
    }
}

impl std::error::Error for BreakerOpen {}

impl From<BreakerOpen> for Error {
    fn from(open: BreakerOpen) -> Self {
        let retry = Retry::After(open.retry_in);
        Self::new(ErrorKind::Unavailable, open.to_string())
            .with_effect(Effect::NotApplied)
            .with_retry(retry)
            .with_source(open)
    }
}

/// The breakers of every region and plane that somebody calls. Clones share them.
///
/// A region that swallows packets costs the first calls their timeouts, and those after them nothing: they fail at once,
/// with an error that says when to come back, until one of them is let through and finds out whether anybody answers.
/// Regions and planes do not share: what one is silent about is nothing against another.
///
/// ```
/// use std::{sync::Arc, time::Duration};
/// use dr_core::{
///     driver::{BreakerPolicy, Breakers, CallEnd},
///     model::{Plane, RegionId},
///     time::ManualClock,
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let (lost, well) = (RegionId::new("us-east-1")?, RegionId::new("eu-west-1")?);
/// let breakers = Breakers::new(Arc::new(ManualClock::new()), BreakerPolicy { trip: 1, ..BreakerPolicy::default() });
/// breakers.admit(&lost, Plane::Control)?.ended(CallEnd::Silent);
/// assert!(breakers.admit(&lost, Plane::Control).is_err());
/// assert!(breakers.admit(&lost, Plane::Data).is_ok());
/// assert!(breakers.admit(&well, Plane::Control).is_ok());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Breakers {
    clock: SharedClock,
    policy: BreakerPolicy,
    by_place: Arc<Mutex<BTreeMap<(RegionId, Plane), Breaker>>>,
}

impl Breakers {
    /// Breakers that let calls through.
    #[must_use]
    pub fn new(clock: SharedClock, policy: BreakerPolicy) -> Self {
        Self { clock, policy, by_place: Arc::default() }
    }

    /// Lets a call through, which must say how it ended; one that is dropped says nothing.
    ///
    /// # Errors
    ///
    /// [`BreakerOpen`] while calls to this plane of this region are refused.
    pub fn admit(&self, region: &RegionId, plane: Plane) -> Result<Admitted, BreakerOpen> {
        let mut all = self.all();
        let breaker = all.entry((region.clone(), plane)).or_insert_with(|| Breaker::new(self.policy));
        match breaker.admit(self.clock.monotonic()) {
            Ok(()) => Ok(Admitted { breakers: self.clone(), place: Some((region.clone(), plane)) }),
            Err(retry_in) => Err(BreakerOpen { region: region.clone(), plane, retry_in }),
        }
    }

    /// The planes that are not called just now.
    #[must_use]
    pub fn open(&self) -> Vec<(RegionId, Plane)> {
        self.all().iter().filter(|(_, breaker)| breaker.is_open()).map(|(place, _)| place.clone()).collect()
    }

    /// Says how a call ended that was made without asking, or whose admission was not kept.
    pub fn ended(&self, region: &RegionId, plane: Plane, end: CallEnd) {
        let now = self.clock.monotonic();
        let mut all = self.all();
        all.entry((region.clone(), plane)).or_insert_with(|| Breaker::new(self.policy)).ended(now, end);
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<(RegionId, Plane), Breaker>> {
        self.by_place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Breakers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Breakers").field("open", &self.open()).finish_non_exhaustive()
    }
}

/// A call that was let through.
#[derive(Debug)]
pub struct Admitted {
    breakers: Breakers,
    place: Option<(RegionId, Plane)>,
}

impl Admitted {
    /// Says how it ended.
    pub fn ended(mut self, end: CallEnd) {
        self.tell(end);
    }

    fn tell(&mut self, end: CallEnd) {
        if let Some((region, plane)) = self.place.take() {
            self.breakers.ended(&region, plane, end);
        }
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        self.tell(CallEnd::Unknown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::{Clock as _, ManualClock};

    fn at(secs: u64) -> Monotonic {
        Monotonic::new(Duration::from_secs(secs))
    }

    fn opened() -> Breaker {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        breaker.ended(at(0), CallEnd::Silent);
        breaker.ended(at(0), CallEnd::Silent);
        breaker
    }

    #[test]
    fn an_answer_in_between_keeps_it_closed() {
        let mut breaker = Breaker::new(BreakerPolicy::default());
        for _ in 0..10 {
            breaker.ended(at(0), CallEnd::Silent);
            breaker.ended(at(0), CallEnd::Answered);
        }
        assert!(!breaker.is_open());
        breaker.ended(at(0), CallEnd::Silent);
        breaker.ended(at(0), CallEnd::Unknown);
        assert!(!breaker.is_open(), "a call that was given up is no proof of silence");
    }

    #[test]
    fn each_look_in_vain_doubles_the_pause_up_to_the_longest() {
        let mut breaker = opened();
        let mut now = 0;
        for cooldown in [5, 10, 15, 15] {
            assert_eq!(breaker.admit(at(now)), Err(Duration::from_secs(cooldown)));
            now += cooldown;
            assert_eq!(breaker.admit(at(now)), Ok(()));
            breaker.ended(at(now), CallEnd::Silent);
        }
    }

    #[test]
    fn a_look_that_is_never_told_of_does_not_shut_it_for_ever() {
        let mut breaker = opened();
        assert_eq!(breaker.admit(at(5)), Ok(()));
        assert_eq!(breaker.admit(at(6)), Err(Duration::from_secs(14)));
        assert_eq!(breaker.admit(at(20)), Ok(()), "15 s later another one looks");
    }

    #[test]
    fn a_look_that_is_given_up_lets_the_next_one_look() {
        let clock = ManualClock::new();
        let breakers = Breakers::new(Arc::new(clock.clone()), BreakerPolicy { trip: 1, ..BreakerPolicy::default() });
        let region = RegionId::new("us-east-1").unwrap();
        breakers.admit(&region, Plane::Control).unwrap().ended(CallEnd::Silent);
        let refused = breakers.admit(&region, Plane::Control).unwrap_err();
        let error = Error::from(refused);
        assert_eq!((error.effect(), error.retry()), (Effect::NotApplied, Retry::After(Duration::from_secs(5))));
        clock.advance(Duration::from_secs(5));
        drop(breakers.admit(&region, Plane::Control).unwrap());
        breakers.admit(&region, Plane::Control).unwrap().ended(CallEnd::Answered);
        assert_eq!(breakers.open(), []);
        assert_eq!(clock.monotonic(), at(5));
    }

    #[test]
    fn calls_under_way_when_it_opened_do_not_prolong_it() {
        let mut breaker = opened();
        breaker.ended(at(4), CallEnd::Silent);
        assert_eq!(breaker.admit(at(5)), Ok(()));
    }
}
