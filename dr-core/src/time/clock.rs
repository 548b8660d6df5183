use std::{fmt, ops, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

/// A reading of a clock that never goes back: the time since that clock's origin.
///
/// Two readings compare only when they come from the same clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Monotonic(Duration);

impl Monotonic {
    /// The origin of the clock.
    pub const ZERO: Self = Self(Duration::ZERO);

    /// The reading `since_origin` after the clock's origin.
    #[must_use]
    pub const fn new(since_origin: Duration) -> Self {
        Self(since_origin)
    }

    /// Time since the clock's origin.
    #[must_use]
    pub const fn since_origin(self) -> Duration {
        self.0
    }

    /// Time from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

impl ops::Add<Duration> for Monotonic {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs))
    }
}

/// A point of wall time, for people and for records; never for a decision.
///
/// Serialises as RFC 3339 in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub(super) jiff::Timestamp);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const UNIX_EPOCH: Self = Self(jiff::Timestamp::UNIX_EPOCH);

    /// The timestamp `ms` milliseconds after the Unix epoch, clamped to the representable range.
    #[must_use]
    pub fn from_millis(ms: i64) -> Self {
        Self(jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::MAX))
    }

    /// Milliseconds since the Unix epoch.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0.as_millisecond()
    }

    /// The day, in UTC.
    #[must_use]
    pub fn date(self) -> jiff::civil::Date {
        jiff::tz::TimeZone::UTC.to_datetime(self.0).date()
    }

    /// What people's clocks and calendars show that are so many minutes ahead of UTC.
    #[must_use]
    pub fn civil(self, ahead_minutes: i32) -> jiff::civil::DateTime {
        let offset = jiff::tz::Offset::from_seconds(ahead_minutes.saturating_mul(60)).unwrap_or(jiff::tz::Offset::UTC);
        offset.to_datetime(self.0)
    }

    /// Seconds since the Unix epoch, with the fraction.
    #[must_use]
    pub fn as_secs_f64(self) -> f64 {
        self.0.as_duration().as_secs_f64()
    }

    /// Time from `earlier` to `self`, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::try_from(self.0.duration_since(earlier.0)).unwrap_or(Duration::ZERO)
    }
}

impl ops::Add<Duration> for Timestamp {
    type Output = Self;

    fn add(self, rhs: Duration) -> Self {
        Self(self.0.saturating_add(rhs).unwrap_or(jiff::Timestamp::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.3}", self.0)
    }
}

/// A source of time, and the only way to wait.
///
/// ```
/// use std::time::Duration;
/// use dr_core::time::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.monotonic();
/// clock.advance(Duration::from_secs(3600)); // an hour passes, at once
/// assert_eq!(clock.monotonic().since(before), Duration::from_secs(3600));
/// ```
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Wall time, for people.
    fn wall(&self) -> Timestamp;
    /// Monotonic time, for everything that decides.
    fn monotonic(&self) -> Monotonic;
    /// Completes when `d` of this clock's time has passed.
    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()>;

    /// By how much of this clock's time a wait may end late on a machine that has nothing else to do: a millisecond, or as
    /// much of this clock's time as passes in one of the machine's.
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }
}

/// A clock as it is handed around.
pub type SharedClock = Arc<dyn Clock>;
