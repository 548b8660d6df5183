use std::time::Duration;

use crate::time::Monotonic;

/// How many looks are kept of each target.
pub(super) const KEPT: usize = 128;

/// What one look came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A healthy reading.
    Healthy,
    /// An unhealthy reading.
    Unhealthy,
    /// Nothing: the probe could not look, or the observer was impaired.
    Nothing,
}

/// One look, as it is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When it began.
    pub began: Monotonic,
    /// By how much that was later than it should have been.
    pub late: Duration,
    /// How long it took, up to 17 minutes.
    pub latency: Duration,
    /// What it came to.
    pub seen: Seen,
    /// Its turn, counted from the first.
    pub round: u32,
}

/// The last 128 looks at one target, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleWindow {
    interval: Duration,
    samples: Vec<Sample>,
}

impl SampleWindow {
    pub(super) fn new(interval: Duration, samples: Vec<Sample>) -> Self {
        Self { interval, samples }
    }

    /// The looks, the oldest first.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// How often the target should be looked at.
    #[must_use]
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// The latency that the part `quantile` (0 to 1) of the looks did not exceed, among those that saw something: the nearest rank.
    #[must_use]
    pub fn latency(&self, quantile: f64) -> Option<Duration> {
        let seen = self.samples.iter().filter(|sample| sample.seen != Seen::Nothing);
        rank(seen.map(|sample| sample.latency).collect(), quantile)
    }

    /// The time from the beginning of one look to the beginning of the next that the part `quantile` of them did not exceed,
    /// where no turn was left out between them.
    #[must_use]
    pub fn spacing(&self, quantile: f64) -> Option<Duration> {
        let pairs = self.samples.windows(2).filter_map(|pair| match pair {
            [one, next] if next.round == one.round.saturating_add(1) => Some(next.began.since(one.began)),
            _ => None,
        });
        rank(pairs.collect(), quantile)
    }

    /// By what part of itself the mean time between turns differs from the interval; none before the second look.
    #[must_use]
    pub fn period_error(&self) -> Option<f64> {
        let (first, last) = (self.samples.first()?, self.samples.last()?);
        let rounds = last.round.saturating_sub(first.round);
        let mean = last.began.since(first.began).as_secs_f64() / f64::from(rounds);
        (rounds > 0).then(|| (mean / self.interval.as_secs_f64() - 1.0).abs())
    }

    /// What part of the looks that saw something was healthy.
    #[must_use]
    pub fn healthy(&self) -> Option<f64> {
        let count = |seen: Seen| self.samples.iter().filter(|sample| sample.seen == seen).count() as f64;
        let (healthy, unhealthy) = (count(Seen::Healthy), count(Seen::Unhealthy));
        (healthy + unhealthy > 0.0).then(|| healthy / (healthy + unhealthy))
    }
}

/// The nearest rank.
fn rank(mut values: Vec<Duration>, quantile: f64) -> Option<Duration> {
    values.sort_unstable();
    let rank = (quantile.clamp(0.0, 1.0) * values.len() as f64).ceil() as usize;
    values.get(rank.saturating_sub(1)).copied()
}

/// A sample in twelve bytes: when it began follows from its round, and microseconds are enough.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packed {
    round: u32,
    late: u32,
    /// What it came to in the two highest bits, the latency in the others.
    latency: u32,
}

const LATENCY: u32 = u32::MAX >> 2;

impl Packed {
    /// What stands where no sample is yet. It is not zero, so that its memory is there from the start.
    const BLANK: Self = Self { round: u32::MAX, late: u32::MAX, latency: u32::MAX };

    pub(super) fn new(round: u32, late: Duration, latency: Duration) -> Self {
        let micros = |d: Duration| u32::try_from(d.as_micros()).unwrap_or(u32::MAX);
        Self { round, late: micros(late), latency: micros(latency).min(LATENCY) }
    }

    pub(super) fn seen(mut self, seen: Seen) -> Self {
        let bits = match seen {
            Seen::Healthy => 0,
            Seen::Unhealthy => 1,
            Seen::Nothing => 2,
        };
        self.latency = (self.latency & LATENCY) | (bits << 30);
        self
    }

    fn unpack(self, first: Monotonic, interval: Duration) -> Sample {
        let late = Duration::from_micros(self.late.into());
        let due = Duration::from_nanos_u128(interval.as_nanos() * u128::from(self.round));
        Sample {
            began: first + due + late,
            late,
            latency: Duration::from_micros((self.latency & LATENCY).into()),
            seen: match self.latency >> 30 {
                0 => Seen::Healthy,
                1 => Seen::Unhealthy,
                _ => Seen::Nothing,
            },
            round: self.round,
        }
    }
}

/// The last looks at one target, as they are kept: the newest takes the place of the oldest.
#[derive(Debug)]
pub(super) struct Kept {
    samples: [Packed; KEPT],
    next: u8,
    len: u8,
}

impl Kept {
    pub(super) fn new() -> Self {
        Self { samples: [Packed::BLANK; KEPT], next: 0, len: 0 }
    }

    pub(super) fn push(&mut self, sample: Packed) {
        if let Some(place) = self.samples.get_mut(usize::from(self.next)) {
            *place = sample;
        }
        self.next = (self.next + 1) % KEPT as u8;
        self.len = (self.len + 1).min(KEPT as u8);
    }

    pub(super) fn unpack(&self, first: Monotonic, interval: Duration) -> Vec<Sample> {
        let (newer, older) = self.samples.split_at(usize::from(self.next));
        let blank = KEPT - usize::from(self.len);
        older.iter().chain(newer).skip(blank).map(|sample| sample.unpack(first, interval)).collect()
    }
}
