use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use crate::{
    detect::{Opinion, Standing, Standings},
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

/// Something that a decider is told and does not see itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// A boolean, for the conditions that name it.
    Signal {
        /// Its name.
        name: String,
        /// What it says.
        value: bool,
        /// In its own words, for a person.
        why: String,
        /// When it said so.
        at: Monotonic,
    },
    /// How far a store's replication is behind.
    Lag {
        /// The store.
        resource: ResourceId,
        /// By how much.
        lag: Duration,
        /// When that was measured.
        taken: Monotonic,
    },
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

    /// Takes in something that was told.
    pub fn hear(&mut self, told: Told) {
        match told {
            Told::Signal { name, value, why, at } => self.tell(&name, value, why, at),
            Told::Lag { resource, lag, taken } => self.sample(&resource, lag, taken),
        }
    }

    /// Takes in what those without a vote hold of the region that takes the writes, each as a signal by its own name: yes
    /// while they hold it lost. Whoever has no opinion says nothing, and what was said grows old.
    pub(super) fn hear_opinions(&mut self) {
        let advice = self.standing(&self.writer).map(|standing| standing.because.advice.clone());
        for said in advice.unwrap_or_default() {
            if said.opinion != Opinion::Unknown {
                self.tell(said.vantage.as_str(), said.opinion != Opinion::Healthy, said.last, said.at);
            }
        }
    }

    /// The region that takes the writes from now on. What was held of another region, and how far others were behind that
    /// one, is forgotten.
    pub(super) fn lead_to(&mut self, writer: RegionId) {
        if self.writer != writer {
            self.writer = writer;
            self.lags.clear();
            for said in self.standings.values().flat_map(|standing| &standing.because.advice) {
                self.signals.remove(said.vantage.as_str());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        detect::{Evidence, Verdict, Why},
        probe::CheckKind,
    };

    fn at(s: u64) -> Monotonic {
        Monotonic::new(Duration::from_secs(s))
    }

    fn advised(opinion: Opinion, when: u64) -> Standing {
        let said = Evidence {
            vantage: "route53".parse().unwrap(),
            probe: "aws.route53_checkers".parse().unwrap(),
            kind: CheckKind::Infrastructure,
            opinion,
            streak: 1,
            last: "2 of 16 checkers of Route 53 pass".to_owned(),
            at: at(when),
        };
        let because = Why { advice: vec![said], ..Why::default() };
        Standing { verdict: Verdict::Healthy, since: at(0), why: String::new(), because }
    }

    #[test]
    fn an_opinion_is_a_signal_about_the_writer_alone() {
        let (a, b): (RegionId, RegionId) = ("a".parse().unwrap(), "b".parse().unwrap());
        let mut facts = Facts::new(a.clone());
        facts.standings = [(a.clone(), advised(Opinion::Down, 30)), (b.clone(), advised(Opinion::Healthy, 30))].into();
        facts.hear_opinions();
        let said = facts.signals["route53"].clone();
        assert_eq!((said.value, said.since, said.at), (true, at(30), at(30)));
        assert_eq!(said.why, "2 of 16 checkers of Route 53 pass");
        // Heard again, and later once more: it has said so since the first time.
        facts.hear_opinions();
        facts.standings.insert(a.clone(), advised(Opinion::Down, 60));
        facts.hear_opinions();
        assert_eq!((facts.signals["route53"].since, facts.signals["route53"].at), (at(30), at(60)));
        // Who cannot look says nothing new.
        facts.standings.insert(a, advised(Opinion::Unknown, 90));
        facts.hear_opinions();
        assert_eq!(facts.signals["route53"].at, at(60));
        // The application has moved: what was said of the region that it left is not said of this one.
        facts.tell("embedder", true, "", at(90));
        facts.lead_to(b);
        assert_eq!(facts.signals.keys().collect::<Vec<_>>(), ["embedder"]);
        facts.hear_opinions();
        assert!(!facts.signals["route53"].value);
    }
}
