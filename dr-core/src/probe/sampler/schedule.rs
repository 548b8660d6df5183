use std::{
    collections::{BTreeMap, VecDeque},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinSet};

use super::{
    outbox::{self, Content, Letter, Outbox},
    slots::Slots,
    target::{Done, Moment, State, Target, look_at, vouch},
    timetable::{Timetable, Turn},
    watchdog::Watchdog,
    window::{Packed, Seen},
    windows::SampleWindows,
};
use crate::{
    model::VantageId,
    probe::{HealthProbe, Observation, Outcome, ProbeCx, Spoken, control::Control},
    time::Monotonic,
};

/// The most looks that one lateness may make up for at once, however few targets there are.
const CATCH_UP: f64 = 4.0;

/// How many ended looks are taken in before time is looked at again.
const BATCH: usize = 64;

/// The loop that runs a sampler's looks.
#[derive(Debug)]
pub(super) struct Schedule {
    cx: Arc<ProbeCx>,
    targets: Vec<Target>,
    timetable: Timetable,
    slots: Slots,
    /// Whose turn has come and who got no slot, by lane, in the order of their turns.
    queues: Vec<VecDeque<u32>>,
    waiting: usize,
    watchdog: Watchdog,
    /// When the watchdog wants to be asked next while something is under way.
    beat: Monotonic,
    pace: Pace,
    windows: SampleWindows,
    outbox: Outbox,
    tasks: JoinSet<Done>,
}

impl Schedule {
    pub(super) fn new(
        cx: Arc<ProbeCx>,
        probes: Vec<(Arc<dyn HealthProbe>, Duration)>,
        controls: &BTreeMap<VantageId, Arc<Control>>,
        slots: usize,
        tolerance: Duration,
        windows: SampleWindows,
        out: mpsc::Sender<Observation>,
    ) -> Self {
        let Moment { at: now, wall } = Moment::now(&cx);
        let timetable = Timetable::new(now, probes.iter().map(|(_, interval)| *interval));
        windows.open(&probes, &timetable);
        let mut lanes = BTreeMap::new();
        let mut targets = Vec::with_capacity(probes.len());
        for (probe, interval) in probes {
            let Some(control) = controls.get(probe.vantage()).map(Arc::clone) else { continue };
            let next = lanes.len();
            let lane = *lanes.entry((probe.vantage().clone(), probe.subject().region.clone())).or_insert(next);
            targets.push(Target { probe, control, interval, lane, state: State::Idle, unsent: false });
        }
        let pace = Pace::new(timetable.rate(), cx.clock().resolution() * 5, now);
        Self {
            targets,
            timetable,
            slots: Slots::new(slots, lanes.len()),
            queues: lanes.iter().map(|_| VecDeque::new()).collect(),
            waiting: 0,
            watchdog: Watchdog::new(tolerance, now, wall),
            beat: now,
            pace,
            windows,
            outbox: Outbox::new(out),
            tasks: JoinSet::new(),
            cx,
        }
    }

    /// Runs until it is stopped, or nobody receives any more.
    pub(super) async fn run(mut self) {
        let cx = Arc::clone(&self.cx);
        let out = self.outbox.sender();
        let mut stopped = pin!(cx.cancel().cancelled());
        let mut closed = pin!(out.closed());
        let mut set_for = self.wake(cx.clock().monotonic());
        let mut alarm = cx.clock().sleep(set_for.since(cx.clock().monotonic()));
        loop {
            let now = cx.clock().monotonic();
            self.launch(now);
            let wake = self.wake(now);
            if wake != set_for || wake <= now {
                (set_for, alarm) = (wake, cx.clock().sleep(wake.since(now)));
            }
            self.watchdog.arm(wake);
            let wanted = !self.outbox.is_empty();
            tokio::select! {
                biased;
                () = &mut stopped => break,
                () = &mut closed => break,
                Some(done) = self.tasks.join_next() => {
                    self.awake();
                    self.end(done.ok());
                    for _ in 0..BATCH {
                        let Some(done) = self.tasks.try_join_next() else { break };
                        self.end(done.ok());
                    }
                }
                room = outbox::room(&out, wanted) => {
                    self.awake();
                    if let (Ok(room), Some(letter)) = (room, self.outbox.oldest()) {
                        self.sent(&letter);
                        if let Some(target) = self.target(letter.target) {
                            let probe = Arc::clone(&target.probe);
                            outbox::send(room, letter, probe.as_ref());
                        }
                    }
                }
                () = &mut alarm => self.awake(),
            }
        }
        self.tasks.shutdown().await;
    }

    fn target(&mut self, target: u32) -> Option<&mut Target> {
        self.targets.get_mut(usize::try_from(target).ok()?)
    }

    /// When there is something to do next, if nothing happens before.
    fn wake(&mut self, now: Monotonic) -> Monotonic {
        let due = match self.timetable.next_due() {
            Some(due) => due.max(self.pace.opens(now)),
            // There are no targets, and nothing will ever be due.
            None => now + Duration::from_secs(3600),
        };
        if self.tasks.is_empty() {
            return due;
        }
        if self.beat <= now {
            self.beat = now + self.watchdog.heartbeat();
        }
        due.min(self.beat)
    }

    /// Takes note of the time, before anything is judged by it. What should have been done during a pause is let go, since
    /// making up for it would be a burst.
    fn awake(&mut self) {
        let now = Moment::now(&self.cx);
        let Some(pause) = self.watchdog.check(now.at, now.wall) else { return };
        self.windows.count_pause(pause);
        let reason: Arc<str> = format!("it stood still itself for {}, and a look was left out", Spoken(pause)).into();
        for number in self.timetable.skip(now.at) {
            let Some(target) = self.target(number) else { continue };
            let in_time = matches!(target.state, State::Idle | State::Waiting { .. });
            if in_time {
                self.windows.count_polluted();
                self.excuse(number, now, Arc::clone(&reason));
            }
        }
    }

    /// Begins what is due.
    fn launch(&mut self, now: Monotonic) {
        while self.pace.allows(now) {
            let Some(turn) = self.timetable.pop(now) else { return };
            if self.turn(turn, now) {
                self.pace.count();
            }
        }
    }

    /// A target's turn; whether a look began.
    fn turn(&mut self, turn: Turn, now: Monotonic) -> bool {
        let Turn { target: number, due, round } = turn;
        let Some(&mut Target { state, unsent, interval, lane, .. }) = self.target(number) else { return false };
        match state {
            // The receiver is behind, and will be told so.
            State::Idle if unsent => false,
            State::Idle if now.since(due) >= interval => {
                self.overloaded(number, now.since(due));
                false
            }
            // Who came first is served first.
            State::Idle if self.queue(lane).is_some_and(|queue| queue.is_empty()) && self.slots.take(lane) => {
                self.begin(number, due, round);
                true
            }
            State::Idle => {
                self.put(number, State::Waiting { due, round });
                if let Some(queue) = self.queue(lane) {
                    queue.push_back(number);
                    self.waiting += 1;
                }
                false
            }
            State::Waiting { due: since, .. } => {
                // It keeps its place in the queue, so that all have their turn.
                self.put(number, State::Waiting { due, round });
                self.overloaded(number, due.since(since));
                false
            }
            // It takes longer than its interval: it waits for the next whole one.
            State::Looking { .. } | State::Vouching => false,
        }
    }

    fn put(&mut self, number: u32, state: State) {
        if let Some(target) = self.target(number) {
            target.state = state;
        }
    }

    fn queue(&mut self, lane: usize) -> Option<&mut VecDeque<u32>> {
        self.queues.get_mut(lane)
    }

    /// Begins a look, for which there is a slot.
    fn begin(&mut self, number: u32, due: Monotonic, round: u32) {
        let mark = self.watchdog.mark();
        let cx = Arc::clone(&self.cx);
        let Some(target) = self.target(number) else { return };
        target.state = State::Looking { due, round, mark };
        let probe = Arc::clone(&target.probe);
        self.tasks.spawn(look_at(number, probe, cx));
    }

    /// Gives the slots that are free to those who wait longest.
    fn serve(&mut self) {
        while self.waiting > 0 {
            let due = |number: &u32| {
                let target = usize::try_from(*number).ok().and_then(|number| self.targets.get(number));
                match target.map(|target| target.state) {
                    Some(State::Waiting { due, .. }) => due,
                    _ => Monotonic::ZERO,
                }
            };
            let fronts = self.queues.iter().enumerate().filter(|(lane, _)| self.slots.has(*lane));
            let first = fronts.filter_map(|(lane, queue)| Some((due(queue.front()?), lane))).min();
            let Some((_, lane)) = first else { return };
            let Some(number) = self.queue(lane).and_then(VecDeque::pop_front) else { return };
            self.waiting -= 1;
            let Some(State::Waiting { due, round }) = self.target(number).map(|target| target.state) else { continue };
            if self.slots.take(lane) {
                self.begin(number, due, round);
            }
        }
    }

    /// Takes in a task that ended. One that was aborted has nothing to say.
    fn end(&mut self, done: Option<Done>) {
        match done {
            Some(Done::Looked { target, began, ended, outcome }) => self.looked(target, began, ended, outcome),
            Some(Done::Vouched { target, ended, outcome, sample }) => self.report(target, ended, outcome, sample),
            None => {}
        }
    }

    fn looked(&mut self, number: u32, began: Monotonic, ended: Moment, outcome: Outcome) {
        let Some(target) = self.target(number) else { return };
        let State::Looking { due, round, mark } = target.state else { return };
        let (lane, control) = (target.lane, Arc::clone(&target.control));
        self.slots.give_back(lane);
        self.serve();
        self.windows.count_look();
        let sample = Packed::new(round, began.since(due), ended.at.since(began));
        if let Some(reason) = self.watchdog.polluted(mark) {
            self.windows.count_polluted();
            return self.report(number, ended, Outcome::ObserverImpaired { reason }, sample);
        }
        let Outcome::Looked(reading) = &outcome else { return self.report(number, ended, outcome, sample) };
        match control.impaired() {
            Some(reason) => self.report(number, ended, Outcome::ObserverImpaired { reason }, sample),
            None if reading.is_healthy() => self.report(number, ended, outcome, sample),
            None => {
                let cx = Arc::clone(&self.cx);
                self.put(number, State::Vouching);
                self.tasks.spawn(vouch(number, (began, ended), (outcome, sample), control, cx));
            }
        }
    }

    /// What came of a look in the end.
    fn report(&mut self, number: u32, ended: Moment, outcome: Outcome, sample: Packed) {
        let seen = match outcome.reading() {
            Some(reading) if reading.is_healthy() => Seen::Healthy,
            Some(_) => Seen::Unhealthy,
            None => Seen::Nothing,
        };
        self.windows.keep(number, sample.seen(seen));
        self.put(number, State::Idle);
        self.post(number, ended, Content::Outcome(outcome));
    }

    /// A turn at which no look was made, since there was too much to do.
    fn overloaded(&mut self, number: u32, waited: Duration) {
        self.windows.count_overloaded();
        let now = Moment::now(&self.cx);
        self.excuse(number, now, format!("overloaded: a look waited {} for its turn", Spoken(waited)).into());
    }

    fn excuse(&mut self, number: u32, now: Moment, reason: Arc<str>) {
        // One that waits already says enough: the receiver is behind.
        if self.target(number).is_some_and(|target| !target.unsent) {
            self.post(number, now, Content::Impaired(reason));
        }
    }

    fn post(&mut self, number: u32, of: Moment, content: Content) {
        let since = self.cx.clock().monotonic();
        let Some(target) = usize::try_from(number).ok().and_then(|number| self.targets.get_mut(number)) else { return };
        let letter = Letter { target: number, of, content, since };
        target.unsent = !self.outbox.post(letter, target.probe.as_ref());
    }

    /// A letter that waited is taken. When that took so long that turns went by, the receiver is told so.
    fn sent(&mut self, letter: &Letter) {
        let now = Moment::now(&self.cx);
        let waited = now.at.since(letter.since);
        let Some(target) = self.target(letter.target) else { return };
        target.unsent = false;
        let excuse = matches!(letter.content, Content::Impaired(_));
        if waited >= target.interval && !excuse {
            self.windows.count_overloaded();
            let reason = format!("overloaded: nobody took what was seen for {}", Spoken(waited));
            self.excuse(letter.target, now, reason.into());
        }
    }
}

/// Keeps a lateness from ending in a burst: room for a new look comes back at one and a half times the usual rate, and there is
/// never more of it than the usual looks of four quanta.
#[derive(Debug)]
struct Pace {
    /// How long to wait at least for room.
    quantum: Duration,
    /// How much room comes back in a second, in looks.
    refill: f64,
    most: f64,
    room: f64,
    counted: Monotonic,
}

impl Pace {
    fn new(rate: f64, quantum: Duration, now: Monotonic) -> Self {
        let most = (rate * quantum.as_secs_f64() * 4.0).max(CATCH_UP);
        // However few targets there are, what has come back after a quantum is enough for one.
        let refill = (rate * 1.5).max(1.0 / quantum.as_secs_f64().max(f64::MIN_POSITIVE));
        Self { quantum, refill, most, room: most, counted: now }
    }

    fn allows(&mut self, now: Monotonic) -> bool {
        let back = now.since(self.counted).as_secs_f64() * self.refill;
        (self.room, self.counted) = ((self.room + back).min(self.most), now);
        self.room >= 1.0
    }

    fn count(&mut self) {
        self.room -= 1.0;
    }

    /// From when on looks may begin.
    fn opens(&self, now: Monotonic) -> Monotonic {
        if self.room >= 1.0 { now } else { self.counted + self.quantum }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many looks begin within each wake, when as many are due as may begin.
    fn begun(pace: &mut Pace, wakes: impl Iterator<Item = u64>) -> Vec<usize> {
        wakes
            .map(|millis| {
                let now = Monotonic::new(Duration::from_millis(millis));
                std::iter::from_fn(|| pace.allows(now).then(|| pace.count())).count()
            })
            .collect()
    }

    #[test]
    fn what_is_late_is_made_up_for_gently() {
        // 2,000 looks a second: 20 in 10 ms are usual.
        let mut pace = Pace::new(2_000.0, Duration::from_millis(5), Monotonic::ZERO);
        let each = begun(&mut pace, (0..100).map(|wake| 500 + wake * 5));
        assert!(each.windows(2).all(|pair| pair.iter().sum::<usize>() <= 60), "{each:?}");
        let in_all: usize = each.iter().sum();
        assert!((1_480..=1_560).contains(&in_all), "{in_all} in half a second");
    }

    #[test]
    fn a_scheduler_that_is_woken_seldom_keeps_up_all_the_same() {
        let mut pace = Pace::new(2_000.0, Duration::from_millis(5), Monotonic::ZERO);
        let each = begun(&mut pace, (0..50).map(|wake| wake * 20));
        assert!(each.iter().all(|begun| *begun >= 39), "{each:?}");
    }

    #[test]
    fn a_few_targets_are_not_held_up() {
        let mut pace = Pace::new(0.1, Duration::from_millis(5), Monotonic::ZERO);
        assert_eq!(begun(&mut pace, [0, 5, 10].into_iter()), [4, 1, 1]);
    }
}
