use std::time::Duration;

use crate::{
    probe::Spoken,
    time::{Monotonic, Timestamp},
};

/// Notices when this process itself stands still, or when its clocks cannot be believed.
///
/// The schedule says when it wants to be woken next ([`arm`](Self::arm)), which is soon while looks are under way. Whoever wakes it later
/// than that shows that nothing ran in between: the process was stopped, its threads were starved, the machine was
/// suspended. What was under way meanwhile measured this process and not its target. A machine that sleeps may stop its
/// monotonic clock as well: then wall time shows it, by running ahead. So does a clock that is set.
#[derive(Debug)]
pub(super) struct Watchdog {
    tolerance: Duration,
    /// Lateness that is ordinary.
    grace: Duration,
    armed: Monotonic,
    last: (Monotonic, Timestamp),
    lost: Duration,
    jumps: u32,
    jump: String,
}

/// What the watchdog knew at some moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    lost: Duration,
    jumps: u32,
}

impl Watchdog {
    /// A watchdog that lets pauses pass shorter than `tolerance`.
    pub(super) fn new(tolerance: Duration, now: Monotonic, wall: Timestamp) -> Self {
        let (armed, last) = (now, (now, wall));
        Self { tolerance, grace: tolerance / 10, armed, last, lost: Duration::ZERO, jumps: 0, jump: String::new() }
    }

    /// How soon to wake while looks are under way.
    pub(super) fn heartbeat(&self) -> Duration {
        self.tolerance / 2
    }

    /// Expects to be asked again by `until`.
    pub(super) fn arm(&mut self, until: Monotonic) {
        self.armed = until;
    }

    /// Takes note of the time. Gives the length of the pause that has just ended, if it was one.
    pub(super) fn check(&mut self, now: Monotonic, wall: Timestamp) -> Option<Duration> {
        let (last, last_wall) = std::mem::replace(&mut self.last, (now, wall));
        if now < last {
            self.jumped(format!("its monotonic clock went back by {}", Spoken(last.since(now))));
        }
        let passed = now.since(last);
        let passed_wall = i128::from(wall.as_millis()) - i128::from(last_wall.as_millis());
        let apart = passed_wall - i128::try_from(passed.as_millis()).unwrap_or(i128::MAX);
        // A clock that is being corrected runs up to a thousandth faster or slower.
        let allowed = (self.tolerance + passed / 1000).as_millis();
        if now >= last && apart.unsigned_abs() > allowed {
            let apart_by = Duration::from_millis(u64::try_from(apart.unsigned_abs()).unwrap_or(u64::MAX));
            let way = if apart > 0 { "ahead" } else { "back" };
            self.jumped(format!(
                "its wall clock went {way} by {}: the machine was suspended or its clock was set",
                Spoken(apart_by)
            ));
        }
        let late = now.since(self.armed);
        if late <= self.grace {
            return None;
        }
        self.lost += late;
        self.armed = now;
        (late >= self.tolerance).then_some(late)
    }

    fn jumped(&mut self, what: String) {
        self.jumps = self.jumps.saturating_add(1);
        self.jump = what;
    }

    /// What is known now.
    pub(super) fn mark(&self) -> Mark {
        Mark { lost: self.lost, jumps: self.jumps }
    }

    /// Why nothing that was under way since `mark` is to be believed, if so.
    pub(super) fn polluted(&self, mark: Mark) -> Option<String> {
        if self.jumps != mark.jumps {
            return Some(format!("its clocks are not to be trusted: {}", self.jump));
        }
        let lost = self.lost.saturating_sub(mark.lost);
        (lost >= self.tolerance).then(|| format!("it stood still itself for {} of the look", Spoken(lost)))
    }
}
