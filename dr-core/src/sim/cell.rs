use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

/// The regions of a simulated world, by number.
pub(crate) const REGIONS: [&str; 3] = ["us-east-1", "eu-west-1", "ap-south-1"];
/// Its stores, by number.
pub(crate) const STORES: [&str; 3] = ["orders-db", "users-db", "stock-db"];

/// One thing that a world holds: a number that calls change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Cell(pub(crate) u8);

impl Cell {
    pub(crate) const COUNT: u8 = 17;
    /// The region that has the traffic.
    pub(crate) const TRAFFIC: Self = Self(12);
    /// Whether the way back is closed until somebody opens it.
    pub(crate) const LATCH: Self = Self(16);

    /// Whether a store accepts writes in a region.
    pub(crate) const fn accepts(store: u8, region: u8) -> Self {
        Self(store * 3 + region)
    }

    /// How many replicas serve in a region.
    pub(crate) const fn capacity(region: u8) -> Self {
        Self(9 + region)
    }

    /// Whether deployments are frozen in a region.
    pub(crate) const fn frozen(region: u8) -> Self {
        Self(13 + region)
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..Self::COUNT).map(Self)
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let region = |at: u8| REGIONS.get(usize::from(at)).copied().unwrap_or("?");
        match self.0 {
            n @ 0..=8 => {
                let store = STORES.get(usize::from(n / 3)).copied().unwrap_or("?");
                write!(f, "{store} accepts writes in {}", region(n % 3))
            }
            n @ 9..=11 => write!(f, "replicas in {}", region(n - 9)),
            12 => f.write_str("traffic"),
            n @ 13..=15 => write!(f, "freeze of {}", region(n - 13)),
            _ => f.write_str("latch"),
        }
    }
}

/// What a cell was told to be, one value after the other, each from its moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Course(Vec<(Duration, i64)>);

impl Course {
    pub(crate) fn starting_at(value: i64) -> Self {
        Self(vec![(Duration::ZERO, value)])
    }

    /// What it is at a moment.
    pub(crate) fn at(&self, moment: Duration) -> i64 {
        self.0.iter().rev().find(|(from, _)| *from <= moment).or_else(|| self.0.first()).map_or(0, |(_, value)| *value)
    }

    /// What it will be when nothing more is asked of it.
    pub(crate) fn last(&self) -> i64 {
        self.0.last().map_or(0, |(_, value)| *value)
    }

    /// What it is at a moment, and whether it is on its way to something else.
    pub(crate) fn seen(&self, moment: Duration) -> (i64, bool) {
        let value = self.at(moment);
        (value, self.0.iter().any(|(from, next)| *from > moment && *next != value))
    }

    /// Tells it to be `value` from a moment on. What it was on its way to before, it will not be.
    pub(crate) fn set(&mut self, now: Duration, from: Duration, value: i64) {
        let (current, moving) = self.seen(now);
        if self.last() == value && (moving || current == value) {
            return; // on its way there already
        }
        self.0.retain(|(at, _)| *at <= now);
        self.0.push((from.max(now), value));
    }

    /// Every value and the moment from which it holds.
    pub(crate) fn changes(&self) -> &[(Duration, i64)] {
        &self.0
    }
}
