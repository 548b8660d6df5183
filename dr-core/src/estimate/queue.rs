use std::{cmp::Reverse, collections::BinaryHeap};

use super::{
    compile::{Compiled, Step},
    detection::verdict_at,
    draw::{Draw, run_of},
};
use crate::engine::{GRACE, pause_after};

/// How one drill went, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Played {
    /// From the fault to the verdict.
    pub(super) detected: f64,
    /// From the verdict to the first step.
    pub(super) decided: f64,
    /// From the first step to the end of the last step that moves traffic; none when the run never got there.
    pub(super) moved: Option<f64>,
    /// From there until the authority's answers have changed.
    pub(super) published: f64,
    /// From there until enough clients are served.
    pub(super) followed: f64,
    /// The lag at the fault.
    pub(super) lag: Option<f64>,
}

impl Played {
    /// From the fault until enough clients are served.
    pub(super) fn recovered(&self) -> Option<f64> {
        Some(self.detected + self.decided + self.moved? + self.published + self.followed)
    }
}

/// A moment, ordered: times are never negative, so that their bits are in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct At(u64, u32);

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Deadline,
    /// The moment that the deadline leaves to what is under way.
    Over,
    /// An attempt of a step ends.
    AttemptEnds(usize),
    /// A pause before an attempt ends.
    PauseEnds(usize),
    /// A client's resolver asks again.
    Resolves(usize),
    /// A client is served.
    Served,
}

/// Plays drills of one model, one after the other, in the same memory.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: BinaryHeap<Reverse<(At, Event)>>,
    order: u32,
    /// By step: how many it still waits for.
    waits: Vec<usize>,
    attempts: Vec<u32>,
    /// By step: when it was done, from the first step's start.
    pub(super) done: Vec<Option<f64>>,
    held: Vec<f64>,
    /// A step has used up its attempts: nothing new begins.
    stuck: bool,
    /// Whether the attempt under way fails.
    failing: Vec<bool>,
}

impl Queue {
    /// Plays one drill.
    pub(super) fn play(&mut self, model: &Compiled, draw: &Draw, drill: u32) -> Played {
        let mut played = Played {
            detected: verdict_at(model, draw, &mut self.held),
            decided: model.decision.at(draw.decision),
            lag: model.lag.map(|lag| lag.at(draw.lag)),
            ..Played::default()
        };
        played.moved = self.run(model, draw, drill);
        if played.moved.is_some() {
            played.published = model.publish.at(draw.publish);
            played.followed = self.follow(model, draw);
        }
        played
    }

    fn push(&mut self, at: f64, event: Event) {
        self.order += 1;
        self.events.push(Reverse((At(at.to_bits(), self.order), event)));
    }

    /// The run: when the last step that moves traffic ended.
    fn run(&mut self, model: &Compiled, draw: &Draw, drill: u32) -> Option<f64> {
        self.events.clear();
        (self.order, self.stuck) = (0, false);
        self.waits.clear();
        self.waits.extend(model.steps.iter().map(|step| step.after.len()));
        self.attempts.clear();
        self.attempts.resize(model.steps.len(), 0);
        self.failing.clear();
        self.failing.resize(model.steps.len(), false);
        self.done.clear();
        self.done.resize(model.steps.len(), None);
        self.push(model.deadline, Event::Deadline);
        for (at, step) in model.steps.iter().enumerate() {
            if step.after.is_empty() {
                self.attempt(step, draw, at, 0.0);
            }
        }
        let mut last = 0.0;
        while let Some(Reverse((At(bits, _), event))) = self.events.pop() {
            let now = f64::from_bits(bits);
            match event {
                // Nothing begins any more; what is under way has a moment to end by itself.
                Event::Deadline => {
                    self.stuck = true;
                    self.push(now + GRACE.as_secs_f64(), Event::Over);
                }
                Event::Over => break,
                Event::AttemptEnds(at) => {
                    let Some(step) = model.steps.get(at) else { continue };
                    if self.failing.get(at) == Some(&true) {
                        self.failed(step, at, now, drill);
                    } else {
                        last = now;
                        self.finished(model, draw, at, now);
                    }
                }
                Event::PauseEnds(at) => {
                    if let Some(step) = model.steps.get(at)
                        && !self.stuck
                    {
                        self.attempt(step, draw, at, now);
                    }
                }
                Event::Resolves(_) | Event::Served => {}
            }
        }
        if model.moved_by.is_empty() {
            return Some(last);
        }
        let mut ends = model.moved_by.iter().map(|at| self.done.get(*at).copied().flatten());
        ends.try_fold(0.0, |latest: f64, end| end.map(|end| latest.max(end)))
    }

    fn attempt(&mut self, step: &Step, draw: &Draw, at: usize, now: f64) {
        let Some(attempt) = self.attempts.get_mut(at) else { return };
        *attempt += 1;
        let (long, fails) = draw.attempt(at, *attempt);
        let takes = step.takes.at(long);
        let failing = takes > step.timeout || fails < step.fails;
        if let Some(slot) = self.failing.get_mut(at) {
            *slot = failing;
        }
        self.push(now + takes.min(step.timeout), Event::AttemptEnds(at));
    }

    fn failed(&mut self, step: &Step, at: usize, now: f64, drill: u32) {
        let attempts = self.attempts.get(at).copied().unwrap_or_default();
        if attempts >= step.retry.attempts {
            self.stuck = true;
            return;
        }
        let pause = pause_after(&run_of(drill), &step.id, &step.retry, attempts, attempts);
        self.push(now + pause.as_secs_f64(), Event::PauseEnds(at));
    }

    fn finished(&mut self, model: &Compiled, draw: &Draw, at: usize, now: f64) {
        if let Some(done) = self.done.get_mut(at) {
            *done = Some(now);
        }
        for next in model.steps.get(at).map(|step| step.before.as_slice()).unwrap_or_default() {
            let Some(waits) = self.waits.get_mut(*next) else { continue };
            *waits -= 1;
            if *waits == 0
                && !self.stuck
                && let Some(step) = model.steps.get(*next)
            {
                self.attempt(step, draw, *next, now);
            }
        }
    }

    /// The clients, from the moment the authority's answers have changed: when enough of them are served.
    fn follow(&mut self, model: &Compiled, draw: &Draw) -> f64 {
        self.events.clear();
        self.order = 0;
        for (at, client) in draw.clients.iter().enumerate() {
            let mut cached = client.cached * model.ttl;
            if let Some((share, by)) = &model.overstay
                && client.overstays < *share
            {
                cached += by.at(client.by);
            }
            self.push(cached, Event::Resolves(at));
        }
        let mut served = 0;
        while let Some(Reverse((At(bits, _), event))) = self.events.pop() {
            let now = f64::from_bits(bits);
            match event {
                Event::Resolves(at) => {
                    let luck = draw.clients.get(at).map_or(0.0, |client| client.reconnect);
                    self.push(now + model.reconnect.at(luck), Event::Served);
                }
                Event::Served => {
                    served += 1;
                    if served == model.served {
                        return now;
                    }
                }
                Event::Deadline | Event::Over | Event::AttemptEnds(_) | Event::PauseEnds(_) => {}
            }
        }
        0.0
    }
}
