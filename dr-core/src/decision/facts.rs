use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    detect::{Standing, Standings},
    journal::Signed,
    model::{RegionId, ResourceId},
    time::{Monotonic, Timestamp},
};

/// The present, twice: for measuring and for people's calendars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// For everything that lasts.
    pub monotonic: Monotonic,
    /// For maintenance windows, which people write by the wall.
    pub wall: Timestamp,
}

/// What somebody outside says, as a boolean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// What it says.
    pub value: bool,
    /// Since when it has said so.
    pub since: Monotonic,
    /// When it last said so.
    pub at: Monotonic,
    /// In its own words, for a person.
    pub why: String,
}

/// The last samples of a store's replication lag, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LagSamples(VecDeque<(Monotonic, Duration)>);

/// Samples that are kept of each store.
const SAMPLES: usize = 128;

impl LagSamples {
    /// Takes in a sample that was taken at that moment. One that is not newer than the last is passed over.
    pub fn add(&mut self, at: Monotonic, lag: Duration) {
        if self.0.back().is_some_and(|(last, _)| *last >= at) {
            return;
        }
        if self.0.len() >= SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back((at, lag));
    }

    /// The latest sample.
    #[must_use]
    pub fn last(&self) -> Option<(Monotonic, Duration)> {
        self.0.back().copied()
    }

    /// Since when every sample was within `limit`; none when the last is not.
    #[must_use]
    pub fn within_since(&self, limit: Duration) -> Option<Monotonic> {
        self.0.iter().rev().take_while(|(_, lag)| *lag <= limit).last().map(|(at, _)| *at)
    }
}

/// Everything that a decision looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// The region that takes the writes.
    pub writer: RegionId,
    /// What observers hold of each region.
    pub standings: Standings,
    /// Replication lag by resource.
    pub lags: BTreeMap<ResourceId, LagSamples>,
    /// What others say, by name.
    pub signals: BTreeMap<String, Signal>,
    /// Who keeps everything from starting by a file, when somebody does.
    pub stopped_by_file: Option<Signed>,
}

impl Facts {
    /// Nothing is known but who takes the writes.
    #[must_use]
    pub fn new(writer: RegionId) -> Self {
        Self {
            writer,
            standings: Standings::new(),
            lags: BTreeMap::new(),
            signals: BTreeMap::new(),
            stopped_by_file: None,
        }
    }

    /// What is held of a region.
    #[must_use]
    pub fn standing(&self, region: &RegionId) -> Option<&Standing> {
        self.standings.get(region)
    }

    /// Takes in what somebody says: the named boolean of a condition.
    pub fn tell(&mut self, signal: &str, value: bool, why: impl Into<String>, now: Monotonic) {
        let before = self.signals.get(signal);
        let since = before.filter(|before| before.value == value).map_or(now, |before| before.since);
        self.signals.insert(signal.to_owned(), Signal { value, since, at: now, why: why.into() });
    }

    /// Takes in a sample of a store's replication lag, and when it was taken.
    pub fn sample(&mut self, resource: &ResourceId, lag: Duration, taken: Monotonic) {
        self.lags.entry(resource.clone()).or_default().add(taken, lag);
    }
}
