use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use super::{
    cell::{Cell, Course, REGIONS},
    dice::mix,
    history::{Answer, Call, History, Role, What, Who},
    machine::Process,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    model::{Plane, RegionId, StepId},
    step::StepCx,
    testing::{CallSite, Fault, FaultBoard},
    time::{Clock as _, ManualClock},
};

/// What the far side is like at a moment, with what is on its way to it: enough to go on from there.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot {
    cells: Vec<Course>,
    on_the_way: BTreeMap<(Duration, u32), Arriving>,
    /// How many calls there were: those that are made from here on are later than those on their way.
    calls: u32,
}

#[derive(Clone, Debug)]
struct Arriving {
    call: Call,
    sets: Vec<(Cell, i64)>,
    takes: Duration,
}

/// What several engines and a store have in common.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    /// The epoch of the lease on the run.
    pub(crate) epoch: AtomicU64,
    /// How many records of the run are durable.
    pub(crate) durable: AtomicU64,
    turns: AtomicU32,
    calls: AtomicU32,
}

/// Two or three regions with stores, workloads and a traffic switch, as a provider's API shows them.
///
/// A call that was sent arrives, whatever becomes of its caller; its reply may not.
#[derive(Clone, Debug)]
pub(crate) struct World {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    seed: u64,
    time: ManualClock,
    board: FaultBoard,
    regions: Vec<RegionId>,
    history: History,
    marks: Arc<Marks>,
    steps: BTreeMap<StepId, u16>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    now: Snapshot,
    /// Steps whose effect cannot be made until a moment.
    blocked: BTreeMap<u16, Duration>,
    /// How many calls each operation of each step has had: what the latency of the next is drawn from.
    counts: BTreeMap<(u16, u8), u64>,
    /// At which call of a process it dies: (engine, calls left, whether the call is sent).
    dying: Vec<(u8, u32, bool)>,
}

/// The operation that proves an effect as a client would: with a write that persists.
pub(crate) const PROBE: &str = "sim:Probe";

/// Where a call goes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site {
    pub(crate) region: u8,
    pub(crate) plane: Plane,
    pub(crate) operation: &'static str,
}

/// One verb of one step, as it calls the world.
#[derive(Debug)]
pub(crate) struct Caller<'a> {
    pub(crate) world: &'a World,
    process: &'a Process,
    template: Call,
}

impl World {
    pub(crate) fn new(seed: u64, time: ManualClock, history: History, marks: Arc<Marks>, steps: &[String]) -> Self {
        let mut cells: Vec<Course> = Cell::all().map(|_| Course::starting_at(0)).collect();
        let mut set = |cell: Cell, value| {
            if let Some(course) = cells.get_mut(usize::from(cell.0)) {
                *course = Course::starting_at(value);
            }
        };
        for store in 0..3 {
            set(Cell::accepts(store, 0), 1);
        }
        set(Cell::capacity(0), 10);
        set(Cell::capacity(1), 2);
        set(Cell::capacity(2), 1);
        Self::from(seed, time, history, marks, steps, Snapshot { cells, on_the_way: BTreeMap::new(), calls: 0 })
    }

    /// A world that goes on from a snapshot.
    pub(crate) fn from(
        seed: u64,
        time: ManualClock,
        history: History,
        marks: Arc<Marks>,
        steps: &[String],
        now: Snapshot,
    ) -> Self {
        let ids = steps.iter().zip(0..).filter_map(|(id, at)| Some((StepId::new(id.as_str()).ok()?, at))).collect();
        marks.calls.store(now.calls, Ordering::Relaxed);
        let state = State { now, blocked: BTreeMap::new(), counts: BTreeMap::new(), dying: Vec::new() };
        Self {
            shared: Arc::new(Shared {
                seed,
                time,
                board: FaultBoard::new(),
                regions: REGIONS.iter().filter_map(|name| RegionId::new(*name).ok()).collect(),
                history,
                marks,
                steps: ids,
                state: Mutex::new(state),
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.shared.time.monotonic().since_origin()
    }

    pub(crate) fn board(&self) -> &FaultBoard {
        &self.shared.board
    }

    pub(crate) fn region(&self, at: u8) -> Option<&RegionId> {
        self.shared.regions.get(usize::from(at))
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let calls = self.shared.marks.calls.load(Ordering::Relaxed);
        Snapshot { calls, ..self.state().now.clone() }
    }

    /// Nothing can be done about a step until a moment; for good when there is none.
    pub(crate) fn block(&self, step: u16, until: Option<Duration>) {
        match until {
            Some(until) => self.state().blocked.insert(step, until),
            None => self.state().blocked.remove(&step),
        };
    }

    /// The process of an engine dies at its `nth` call from now: before it is sent, or after.
    pub(crate) fn die_at_call(&self, engine: u8, nth: u32, sent: bool) {
        self.state().dying.push((engine, nth, sent));
    }

    /// Nobody dies any more.
    pub(crate) fn spare_everybody(&self) {
        self.state().dying.clear();
    }

    /// When the next call arrives.
    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.state().now.on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// Lets the calls that have arrived take effect.
    pub(crate) fn arrive(&self) {
        let now = self.now();
        let mut state = self.state();
        while let Some(entry) = state.now.on_the_way.first_entry().filter(|entry| entry.key().0 <= now) {
            let Arriving { call, sets, takes } = entry.remove();
            for (cell, is) in sets {
                let Some(course) = state.now.cells.get_mut(usize::from(cell.0)) else { continue };
                let was = course.last();
                course.set(now, now + takes, is);
                self.shared.history.add(What::Applied { call, cell, was, is, effective: now + takes });
            }
        }
    }

    /// What every cell will be when nothing more is asked of the world.
    pub(crate) fn settled(&self) -> Vec<i64> {
        self.state().now.cells.iter().map(Course::last).collect()
    }

    /// What every cell has been.
    pub(crate) fn courses(&self) -> Vec<Course> {
        self.state().now.cells.clone()
    }

    /// Begins one verb of a step.
    pub(crate) fn caller<'a>(&'a self, process: &'a Process, cx: &StepCx, role: Role) -> Caller<'a> {
        let marks = &self.shared.marks;
        let template = Call {
            id: 0,
            who: Who(process.engine, process.life),
            step: self.shared.steps.get(&cx.step).copied().unwrap_or(u16::MAX),
            turn: marks.turns.fetch_add(1, Ordering::Relaxed),
            role,
            attempt: cx.attempt,
            epoch: cx.epoch.0,
            current: 0,
            durable: 0,
            writes: false,
            begun: self.shared.history.count(),
        };
        Caller { world: self, process, template }
    }
}

/// The way there and the way back.
struct Latency {
    there: Duration,
    back: Duration,
}

/// A call that is out.
struct Sent {
    call: Call,
    latency: Latency,
    fault: Option<Fault>,
    /// Whether its caller dies now that it is.
    doomed: bool,
}

impl Caller<'_> {
    /// The reason why the step's effect cannot be made now.
    pub(crate) fn blocked(&self) -> bool {
        let now = self.world.now();
        self.world.state().blocked.get(&self.template.step).is_some_and(|until| *until > now)
    }

    pub(crate) fn not_there(&self) {
        self.world.shared.history.add(What::NotThere(self.template));
    }

    /// Reads cells as they were when the call arrived: each value, and whether it is on its way to another.
    pub(crate) async fn read(&self, site: Site, cells: &[Cell]) -> Result<Vec<(i64, bool)>> {
        let Sent { call, latency, fault, doomed } = self.send(site, false).await;
        if doomed {
            self.crash("after a call was sent").await;
        }
        let mut arrives = self.world.now() + latency.there;
        let mut wait = latency.there + latency.back;
        match fault {
            Some(Fault::Slow { delay_ms }) => {
                arrives += Duration::from_millis(delay_ms);
                wait += Duration::from_millis(delay_ms);
            }
            // A probe that writes and reads back cannot be told what was true before.
            Some(Fault::StaleRead { .. }) if site.operation == PROBE => {}
            Some(Fault::StaleRead { age_ms }) => arrives = arrives.saturating_sub(Duration::from_millis(age_ms)),
            None => {}
            Some(fault) => return Err(self.fails(call, &latency, fault).await.with_effect(Effect::NotApplied)),
        }
        self.process.sleep(wait).await;
        let seen = {
            let state = self.world.state();
            let see = |cell: &Cell| state.now.cells.get(usize::from(cell.0)).map_or((0, false), |c| c.seen(arrives));
            cells.iter().map(see).collect()
        };
        self.world.shared.history.add(What::Answered(call, Answer::Well));
        Ok(seen)
    }

    /// Asks for cells to be set, all at once; they are so when `takes` has passed.
    pub(crate) async fn write(&self, site: Site, sets: Vec<(Cell, i64)>, takes: Duration) -> Result<()> {
        let Sent { call, latency, fault, doomed } = self.send(site, true).await;
        if doomed && matches!(fault, Some(Fault::Refuse | Fault::Throttle | Fault::ServerError | Fault::BlackHole)) {
            self.crash("after a call was sent").await;
        }
        let mut delay = latency.there;
        match fault {
            None | Some(Fault::ReplyLost | Fault::StaleRead { .. }) => {}
            Some(Fault::Slow { delay_ms } | Fault::LateApply { delay_ms }) => delay += Duration::from_millis(delay_ms),
            Some(fault) => return Err(self.fails(call, &latency, fault).await),
        }
        {
            let at = self.world.now() + delay;
            self.world.state().now.on_the_way.insert((at, call.id), Arriving { call, sets, takes });
        }
        if doomed {
            self.crash("after a call was sent").await;
        }
        match fault {
            Some(fault @ Fault::LateApply { .. }) => return Err(self.fails(call, &latency, fault).await),
            Some(fault @ Fault::ReplyLost) => {
                self.process.sleep(delay).await;
                return Err(self.fails(call, &latency, fault).await);
            }
            _ => self.process.sleep(delay + latency.back).await,
        }
        self.world.shared.history.add(What::Answered(call, Answer::Well));
        Ok(())
    }

    /// Writes the call down, and lets the process die when this is the call at which it does.
    async fn send(&self, site: Site, writes: bool) -> Sent {
        self.process.gate().await;
        let shared = &self.world.shared;
        let (drawn, dies) = {
            let mut state = self.world.state();
            let count = state.counts.entry((self.template.step, self.template.role as u8)).or_default();
            *count += 1;
            let key = u64::from(self.template.step) << 32 | (self.template.role as u64) << 24;
            let drawn = mix(shared.seed, mix(key, *count));
            let mut dies = None;
            for (_, left, sent) in state.dying.iter_mut().filter(|(engine, ..)| *engine == self.process.engine) {
                *left = left.saturating_sub(1);
                if *left == 0 {
                    dies = Some(*sent);
                }
            }
            state.dying.retain(|(_, left, _)| *left > 0);
            (drawn, dies)
        };
        if dies == Some(false) {
            self.crash("before a call").await;
        }
        // Tasks that are ready at the same moment go on in any order.
        for _ in 0..drawn >> 60 & 1 {
            tokio::task::yield_now().await;
        }
        let call = Call {
            id: shared.marks.calls.fetch_add(1, Ordering::Relaxed),
            current: shared.marks.epoch.load(Ordering::Relaxed),
            durable: shared.marks.durable.load(Ordering::Relaxed),
            writes,
            ..self.template
        };
        shared.history.add(What::Called(call));
        let fault = self
            .world
            .region(site.region)
            .and_then(|region| shared.board.decide(&CallSite { region, plane: site.plane, operation: site.operation }));
        let slow = if drawn & 0xf == 0 { 20 } else { 1 };
        let millis = |bits: u64| Duration::from_millis((5 + bits % 60) * slow);
        let latency = Latency { there: millis(drawn >> 8 & 0xff), back: millis(drawn >> 16 & 0xff) };
        Sent { call, latency, fault, doomed: dies == Some(true) }
    }

    async fn crash(&self, how: &'static str) {
        self.world.shared.history.add(What::Crashed(self.template.who, how));
        self.process.kill();
        std::future::pending::<()>().await;
    }

    /// The error of a call that went wrong in this way, once it is known.
    async fn fails(&self, call: Call, latency: &Latency, fault: Fault) -> Error {
        let (kind, message, effect, retry) = match fault {
            Fault::Refuse => (ErrorKind::Unavailable, "connection refused", Effect::NotApplied, Retry::Backoff),
            Fault::Throttle => (ErrorKind::Throttled, "too many requests", Effect::NotApplied, Retry::Backoff),
            Fault::ServerError => (ErrorKind::Unavailable, "internal error", Effect::Indefinite, Retry::Backoff),
            Fault::BlackHole => {
                std::future::pending::<()>().await;
                (ErrorKind::Timeout, "no answer", Effect::Indefinite, Retry::Backoff)
            }
            _ => (ErrorKind::Unavailable, "connection reset by peer", Effect::Indefinite, Retry::Backoff),
        };
        self.process.sleep(latency.back).await;
        let certain = effect == Effect::NotApplied;
        self.world.shared.history.add(What::Answered(call, Answer::Badly { certain }));
        Error::new(kind, message).with_effect(effect).with_retry(retry)
    }
}
