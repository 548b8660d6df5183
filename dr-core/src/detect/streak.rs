use std::time::Duration;

use crate::{
    probe::{Health, Outcome},
    time::Monotonic,
};

/// Consecutive readings of one check by one observer, with separate thresholds to trip and to clear.
///
/// A look that could not be made neither adds to a run nor breaks it; while it is the last word, there is no opinion.
/// A silence of `stale_after` throws everything away.
#[derive(Clone, Debug, Default)]
pub(super) struct Streak {
    settled: Option<Settled>,
    run: Option<(Health, u32)>,
    looked: Option<Monotonic>,
    blind: bool,
    last: Option<(Monotonic, String)>,
}

#[derive(Clone, Copy, Debug)]
struct Settled {
    health: Health,
    since: Monotonic,
}

/// How many readings in a row it takes, and for how long they are worth anything.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rule {
    pub(super) trip: u32,
    pub(super) clear: u32,
    pub(super) stale_after: Duration,
}

impl Streak {
    /// Takes in what came of a look that ended at `at`, no earlier than the one before.
    pub(super) fn take(&mut self, at: Monotonic, outcome: &Outcome, rule: &Rule) {
        self.last = Some((at, outcome.to_string()));
        let Some(reading) = outcome.reading() else {
            self.blind = true;
            return;
        };
        if self.looked.is_some_and(|looked| at.since(looked) >= rule.stale_after) {
            (self.settled, self.run) = (None, None);
        }
        let health = reading.health;
        let count = match self.run {
            Some((same, count)) if same == health => count.saturating_add(1),
            _ => 1,
        };
        self.run = Some((health, count));
        let needed = match health {
            Health::Healthy => rule.clear,
            Health::Unhealthy => rule.trip,
        };
        match &mut self.settled {
            Some(settled) if settled.health == health => {
                // What was not seen cannot be said to have lasted.
                if self.blind {
                    settled.since = at;
                }
            }
            settled => {
                if count >= needed {
                    *settled = Some(Settled { health, since: at });
                }
            }
        }
        (self.looked, self.blind) = (Some(at), false);
    }

    /// What it amounts to at `now`, and since when; `None` when nothing can be said.
    pub(super) fn opinion(&self, now: Monotonic, rule: &Rule) -> Option<(Health, Monotonic)> {
        let fresh = self.looked.is_some_and(|looked| now.since(looked) < rule.stale_after);
        let settled = self.settled.filter(|_| fresh && !self.blind)?;
        Some((settled.health, settled.since))
    }

    /// What the last look said, if it still counts at `now`.
    pub(super) fn latest(&self, now: Monotonic, rule: &Rule) -> Option<Health> {
        let fresh = self.looked.is_some_and(|looked| now.since(looked) < rule.stale_after);
        self.run.filter(|_| fresh && !self.blind).map(|(health, _)| health)
    }

    /// Whether failures are coming in that are not enough to trip yet.
    pub(super) fn is_failing(&self) -> bool {
        matches!(self.run, Some((Health::Unhealthy, _)))
    }

    /// When the opinion will be lost if nothing more is seen.
    pub(super) fn stale_at(&self, rule: &Rule) -> Option<Monotonic> {
        self.looked.map(|looked| looked + rule.stale_after)
    }

    /// How many readings in a row, up to the last one, said `health`.
    pub(super) fn run_of(&self, health: Health) -> u32 {
        self.run.filter(|(run, _)| *run == health).map_or(0, |(_, count)| count)
    }

    /// The last look: when it ended and what it said.
    pub(super) fn last(&self) -> Option<(Monotonic, &str)> {
        self.last.as_ref().map(|(at, said)| (*at, said.as_str()))
    }
}
