use std::{
    cmp::Reverse,
    collections::{BTreeMap, BinaryHeap},
    time::Duration,
};

use crate::time::Monotonic;

/// For how long at most the turns of one interval may be brought together. Waking for each look costs a third of
/// the look; many targets are looked at in small companies, and the machine sleeps in between.
const GATHER: Duration = Duration::from_millis(16);

/// How many turns come together at most, however many targets there are.
const COMPANY: usize = 32;

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Turn {
    /// Which target, by its number.
    pub(super) target: u32,
    /// The moment at which its look is due.
    pub(super) due: Monotonic,
    /// How many intervals of its own have passed since its first turn.
    pub(super) round: u32,
}

/// When each target's turn comes: every interval, from a phase of its own.
///
/// A due time is computed from the start and never from the turn before, so that nothing can drift. Targets of one interval
/// stand in a ring in the order of their phases: the next turn is the next place in the ring, and a turn costs the same
/// however many targets there are. Where so many share a ring that neighbours would follow each other within [`GATHER`],
/// up to [`COMPANY`] of them come together, and the companies are spread as single turns would be.
#[derive(Debug)]
pub(super) struct Timetable {
    rings: Vec<Ring>,
    /// The next turn of each ring that has any.
    next: BinaryHeap<Reverse<(Monotonic, usize)>>,
}

impl Timetable {
    /// A timetable for targets 0, 1, 2, … with these intervals, whose first turns come within an interval of `start`.
    pub(super) fn new(start: Monotonic, intervals: impl IntoIterator<Item = Duration>) -> Self {
        let mut of_interval: BTreeMap<Duration, usize> = BTreeMap::new();
        let mut rings: Vec<Ring> = Vec::new();
        for (target, interval) in (0..).zip(intervals) {
            let place = *of_interval.entry(interval).or_insert(rings.len());
            if place == rings.len() {
                rings.push(Ring { interval, start, shift: fraction(place), targets: Vec::new(), round: 0, place: 0 });
            }
            if let Some(ring) = rings.get_mut(place) {
                ring.targets.push(target);
            }
        }
        let next = rings.iter().enumerate().map(|(i, ring)| Reverse((ring.due(), i))).collect();
        Self { rings, next }
    }

    /// The first turn of each target, in no order.
    pub(super) fn first_turns(&self) -> impl Iterator<Item = Turn> {
        self.rings.iter().flat_map(|ring| {
            (0..).zip(&ring.targets).map(|(i, target)| Turn { target: *target, due: ring.at(0, i), round: 0 })
        })
    }

    /// How many turns come in a second, on average.
    pub(super) fn rate(&self) -> f64 {
        self.rings.iter().map(|ring| ring.len() as f64 / ring.interval.as_secs_f64().max(f64::MIN_POSITIVE)).sum()
    }

    /// When the next turn comes.
    pub(super) fn next_due(&self) -> Option<Monotonic> {
        self.next.peek().map(|Reverse((due, _))| *due)
    }

    /// The next turn that has come by `now`.
    pub(super) fn pop(&mut self, now: Monotonic) -> Option<Turn> {
        let mut top = self.next.peek_mut()?;
        let Reverse((due, which)) = *top;
        if due > now {
            return None;
        }
        let ring = self.rings.get_mut(which)?;
        let turn = ring.turn()?;
        ring.advance();
        *top = Reverse((ring.due(), which));
        Some(turn)
    }

    /// Lets all turns go by that have come by `now`, and says whose they were, each target once.
    pub(super) fn skip(&mut self, now: Monotonic) -> Vec<u32> {
        let mut passed = Vec::new();
        for ring in &mut self.rings {
            for _ in 0..ring.len() {
                let Some(turn) = ring.turn().filter(|turn| turn.due <= now) else { break };
                passed.push(turn.target);
                ring.advance();
            }
            ring.skip_rounds(now);
        }
        self.next = self.rings.iter().enumerate().map(|(i, ring)| Reverse((ring.due(), i))).collect();
        passed
    }
}

/// The targets of one interval, spread evenly over it, one by one or in companies.
#[derive(Debug)]
struct Ring {
    interval: Duration,
    start: Monotonic,
    /// By what part of the space between two of its targets the whole ring is moved.
    shift: f64,
    targets: Vec<u32>,
    round: u32,
    place: usize,
}

impl Ring {
    fn len(&self) -> usize {
        self.targets.len()
    }

    fn due(&self) -> Monotonic {
        self.at(self.round, self.place)
    }

    fn turn(&self) -> Option<Turn> {
        let target = *self.targets.get(self.place)?;
        Some(Turn { target, due: self.due(), round: self.round })
    }

    /// How many turns come together.
    fn company(&self) -> usize {
        let gathered = GATHER.as_nanos() * self.len() as u128 / self.interval.as_nanos().max(1);
        usize::try_from(gathered).unwrap_or(COMPANY).clamp(1, COMPANY)
    }

    /// When the turn of the target at `place` comes in `round`.
    fn at(&self, round: u32, place: usize) -> Monotonic {
        let (interval, places) = (self.interval.as_nanos(), self.len().max(1) as u128);
        let place = place - place % self.company();
        let shift = (interval as f64 / places as f64 * self.shift) as u128;
        let since = interval * u128::from(round) + interval * place as u128 / places + shift;
        self.start + Duration::from_nanos_u128(since)
    }

    fn advance(&mut self) {
        self.place += 1;
        if self.place >= self.len() {
            self.place = 0;
            self.round = self.round.saturating_add(1);
        }
    }

    /// Moves on to the first turn after `now`, in one step.
    fn skip_rounds(&mut self, now: Monotonic) {
        if self.due() > now {
            return;
        }
        let (interval, places) = (self.interval.as_nanos().max(1), self.len().max(1) as u128);
        let since = now.since(self.at(0, 0)).as_nanos();
        self.round = u32::try_from(since / interval).unwrap_or(u32::MAX);
        self.place = usize::try_from(since % interval * places / interval).unwrap_or(0);
        while self.due() <= now && self.round < u32::MAX {
            self.advance();
        }
    }
}

/// Where the `n`th ring's turns fall between those of the others. The golden section leaves no two of them close, however
/// many there are.
fn fraction(n: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    (n as f64 * GOLDEN).fract()
}
