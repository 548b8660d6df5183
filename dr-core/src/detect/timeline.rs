use std::{collections::BTreeMap, fmt, time::Duration};

use crate::{
    model::{ProbeId, VantageId},
    probe::{Health, Observation, Outcome},
    time::{Monotonic, Timestamp},
};

/// What a machine is told, at a moment.
#[derive(Clone, Debug)]
pub(super) enum Input {
    /// Somebody looked.
    Observed(Box<Observation>),
    /// The region is, or is not, asked to take writes from now on.
    TakesWrites(bool),
}

/// A state that inputs and the passing of time move on.
pub(super) trait Machine: Clone + fmt::Debug {
    /// Moves to `at`, through every deadline before it, and there takes in all that it is told of that very moment.
    fn step(&mut self, at: Monotonic, told: &[&Input]);

    /// The moment it stands at.
    fn now(&self) -> Monotonic;
}

/// Observations that arrive in any order, fed to a machine in the order in which they were made.
///
/// An observation that comes late, inside `window`, makes the machine start again from the last moment that is beyond
/// dispute, so its state depends on the set of observations and not on the order of their arrival. An observation older
/// than that moment is dropped. Memory is bounded by `window` and [`LONGEST`].
#[derive(Clone, Debug)]
pub(super) struct Timeline<M> {
    window: Duration,
    settled: M,
    /// The latest moment beyond dispute, when there is one.
    disputed_after: Option<Monotonic>,
    current: M,
    recent: BTreeMap<(Monotonic, Source), Input>,
    wall: Timestamp,
}

/// Who told it: a look by an observer with a check, or nobody in particular, who comes first.
type Source = Option<(VantageId, ProbeId)>;

/// The most inputs that a timeline can revise.
const LONGEST: usize = 4096;

impl<M: Machine> Timeline<M> {
    pub(super) fn new(machine: M, window: Duration) -> Self {
        Self {
            window,
            settled: machine.clone(),
            disputed_after: None,
            current: machine,
            recent: BTreeMap::new(),
            wall: Timestamp::UNIX_EPOCH,
        }
    }

    /// The machine at the latest moment.
    pub(super) fn current(&self) -> &M {
        &self.current
    }

    /// Wall time of the latest observation, for people.
    pub(super) fn wall(&self) -> Timestamp {
        self.wall
    }

    /// Takes one observation in.
    pub(super) fn observe(&mut self, o: Observation) {
        if self.disputed_after.is_some_and(|moment| o.at <= moment) {
            return;
        }
        if self.recent.last_key_value().is_none_or(|((latest, _), _)| o.at >= *latest) {
            self.wall = o.wall;
        }
        let (at, source) = (o.at, Some((o.vantage.clone(), o.subject.probe.clone())));
        let o = match self.recent.remove(&(at, source.clone())) {
            // One observer cannot have ended two looks at one moment; which of the two counts must not depend on order.
            Some(Input::Observed(other)) => least(o, *other),
            _ => o,
        };
        self.insert(at, source, Input::Observed(Box::new(o)));
    }

    /// Tells the machine, at the moment where it stands, whether the region is asked to take writes.
    pub(super) fn takes_writes(&mut self, asked: bool) {
        self.insert(self.current.now(), None, Input::TakesWrites(asked));
    }

    fn insert(&mut self, at: Monotonic, source: Source, input: Input) {
        let in_order = at > self.current.now();
        if in_order {
            self.current.step(at, &[&input]);
        }
        self.recent.insert((at, source), input);
        if !in_order {
            let now = self.current.now();
            self.current = self.settled.clone();
            replay(&mut self.current, self.recent.iter().map(|((at, _), input)| (*at, input)));
            if now > self.current.now() {
                self.current.step(now, &[]);
            }
        }
        self.settle();
    }

    /// Lets time pass up to `now`; a `now` in the past changes nothing.
    pub(super) fn tick(&mut self, now: Monotonic) {
        if now > self.current.now() {
            self.current.step(now, &[]);
            self.settle();
        }
    }

    /// Puts what is older than the window beyond dispute.
    fn settle(&mut self) {
        let cutoff = Monotonic::new(self.current.now().since_origin().saturating_sub(self.window));
        while let Some((&(oldest, _), _)) = self.recent.first_key_value() {
            if oldest >= cutoff && self.recent.len() <= LONGEST {
                return;
            }
            let mut moment = Vec::new();
            while let Some(entry) = self.recent.first_entry() {
                if entry.key().0 != oldest {
                    break;
                }
                moment.push(entry.remove());
            }
            self.settled.step(oldest, &moment.iter().collect::<Vec<_>>());
            self.disputed_after = Some(oldest);
        }
    }
}

/// Feeds inputs, which come in the order of their moments, to the machine, one moment a step.
fn replay<'a, M: Machine>(machine: &mut M, inputs: impl Iterator<Item = (Monotonic, &'a Input)>) {
    let (mut moment, mut told): (Monotonic, Vec<&Input>) = (Monotonic::ZERO, Vec::new());
    for (at, input) in inputs {
        if at != moment && !told.is_empty() {
            machine.step(moment, &told);
            told.clear();
        }
        moment = at;
        told.push(input);
    }
    if !told.is_empty() {
        machine.step(moment, &told);
    }
}

/// The one that says less against or for the region, by a rule that does not know which came first.
fn least(a: Observation, b: Observation) -> Observation {
    let rank = |o: &Observation| match &o.outcome {
        Outcome::ObserverImpaired { .. } => 0,
        Outcome::CouldNotLook(_) => 1,
        Outcome::Looked(reading) if reading.health == Health::Unhealthy => 3,
        Outcome::Looked(_) => 2,
    };
    let key = |o: &Observation| (rank(o), o.outcome.to_string());
    if key(&b) < key(&a) { b } else { a }
}
