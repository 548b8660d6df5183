use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, atomic::Ordering},
    time::Duration,
};

use async_trait::async_trait;
use futures::{FutureExt as _, StreamExt as _, TryStreamExt as _, stream::BoxStream};

use super::{
    dice::Dice,
    history::{History, What, Who},
    machine::Process,
    mutant::Mutant,
    scenario::{Outage, Phase},
    world::{Marks, Snapshot, World},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Journal, Lease, MemoryJournal, Outcome, Record, Request, RequestId, Seq, Submitted},
    model::{OwnerId, RunId},
    time::{Clock as _, ManualClock},
};

/// A moment from which a run can be gone on with: the world, and how many records there were.
#[derive(Clone, Debug)]
pub(crate) struct Sample {
    pub(crate) at: Duration,
    pub(crate) records: Seq,
    pub(crate) world: Snapshot,
}

/// The store that all engines write to, with what is on its way to it.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    inner: MemoryJournal,
    time: ManualClock,
    history: History,
    marks: Arc<Marks>,
    world: World,
    run: RunId,
    mutant: Option<Mutant>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    outage: Option<Outage>,
    /// Appends so far, of each engine.
    appends: BTreeMap<u8, u32>,
    dying: Vec<(u8, u32, Phase)>,
    /// Appends that arrive late (true) or twice (false).
    astray: Vec<(u8, u32, Duration, bool)>,
    on_the_way: BTreeMap<(Duration, u64), Letter>,
    next: u64,
    /// What the engines were told is durable.
    acknowledged: Vec<(Seq, Entry)>,
    /// Which samples to take is drawn as the appends come: each is as likely as any other.
    dice: Dice,
    written: u64,
    sample: Option<Sample>,
    ended: bool,
}

#[derive(Debug)]
struct Letter {
    who: Who,
    lease: Lease,
    expect: Seq,
    entries: Vec<Entry>,
}

/// The store as one process reaches it.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) store: Store,
    pub(crate) process: Process,
    pub(crate) mutant: Option<Mutant>,
    /// What a mutant has acknowledged and not yet written.
    pub(crate) unsynced: Mutex<Vec<Unsynced>>,
}

/// An append that a mutant keeps to itself.
pub(crate) type Unsynced = (Lease, Vec<Entry>);

impl Store {
    #[expect(clippy::too_many_arguments, reason = "the parts of one stage, each handed over once")]
    pub(crate) fn new(
        inner: MemoryJournal,
        time: ManualClock,
        history: History,
        marks: Arc<Marks>,
        world: World,
        run: RunId,
        seed: u64,
        mutant: Option<Mutant>,
    ) -> Self {
        let state = State {
            outage: None,
            appends: BTreeMap::new(),
            dying: Vec::new(),
            astray: Vec::new(),
            on_the_way: BTreeMap::new(),
            next: 0,
            acknowledged: Vec::new(),
            dice: Dice::new(seed ^ 0x5a5a),
            written: 0,
            sample: None,
            ended: false,
        };
        Self { inner, time, history, marks, world, run, mutant, state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn out(&self, how: Option<Outage>) {
        self.state().outage = how;
    }

    pub(crate) fn die_at_append(&self, engine: u8, nth: u32, phase: Phase) {
        self.state().dying.push((engine, nth, phase));
    }

    pub(crate) fn lead_astray(&self, engine: u8, nth: u32, by: Duration, late: bool) {
        self.state().astray.push((engine, nth, by, late));
    }

    /// Nothing goes wrong any more.
    pub(crate) fn heal(&self) {
        let mut state = self.state();
        state.outage = None;
        state.dying.clear();
        state.astray.clear();
    }

    pub(crate) fn ended(&self) -> bool {
        self.state().ended
    }

    pub(crate) fn sample(&self) -> Option<Sample> {
        self.state().sample.take()
    }

    pub(crate) fn acknowledged(&self) -> Vec<(Seq, Entry)> {
        std::mem::take(&mut self.state().acknowledged)
    }

    pub(crate) fn next_arrival(&self) -> Option<Duration> {
        self.state().on_the_way.keys().next().map(|(at, _)| *at)
    }

    /// Takes in the appends that have arrived late, or again.
    pub(crate) fn arrive(&self) {
        let now = self.time.monotonic().since_origin();
        loop {
            let letter = {
                let mut state = self.state();
                match state.on_the_way.first_entry().filter(|entry| entry.key().0 <= now) {
                    Some(entry) => entry.remove(),
                    None => return,
                }
            };
            let anywhere = self.mutant == Some(Mutant::AppendsAnywhere);
            let last = || self.last().now_or_never().and_then(Result::ok);
            let expect = anywhere.then(last).flatten().unwrap_or(letter.expect);
            // Nobody hears the answer.
            let _ = self.put(letter.who, &letter.lease, expect, letter.entries);
        }
    }

    fn post(&self, delay: Duration, letter: Letter) {
        let at = self.time.monotonic().since_origin() + delay;
        let mut state = self.state();
        let next = state.next;
        state.next += 1;
        state.on_the_way.insert((at, next), letter);
    }

    /// The append itself: at one moment, as the store's contract has it.
    fn put(&self, who: Who, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let says = entries.iter().map(short).collect::<Vec<_>>().join(", ");
        let ends = entries.iter().any(|entry| matches!(entry, Entry::RunEnded { .. }));
        let first = expect.0 + 1;
        let written = self
            .inner
            .append(lease, expect, entries)
            .now_or_never()
            .unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the memory journal waits for something")));
        match &written {
            Ok(last) => {
                self.marks.durable.fetch_max(last.0, Ordering::Relaxed);
                self.history.add(What::Written { who, epoch: lease.epoch.0, first, last: last.0, says });
                let mut state = self.state();
                state.ended |= ends;
                state.written += 1;
                let written = state.written;
                if state.dice.below(written) == 0 {
                    let at = self.time.monotonic().since_origin();
                    state.sample = Some(Sample { at, records: *last, world: self.world.snapshot() });
                }
            }
            Err(error) => {
                self.history.add(What::Refused { who, what: "append", why: error.to_string() });
            }
        }
        written
    }
}

/// An entry in a word or two.
pub(crate) fn short(entry: &Entry) -> String {
    match entry {
        Entry::RunCreated { .. } => "run created".to_owned(),
        Entry::EngineStarted { .. } => "engine started".to_owned(),
        Entry::StepIntent(intent) => format!("intent {} #{}", intent.step, intent.attempt),
        Entry::StepOutcome { step, attempt, outcome } => match outcome {
            Outcome::Done { already: true, .. } => format!("{step} #{attempt} was there already"),
            Outcome::Done { .. } => format!("{step} #{attempt} done"),
            Outcome::Failed { failure } => format!("{step} #{attempt} failed ({:?}): {failure}", failure.effect),
            Outcome::Skipped { .. } => format!("{step} skipped"),
            Outcome::Compensated => format!("{step} taken back"),
        },
        Entry::CompensationIntent { step, attempt } => format!("taking back {step} #{attempt}"),
        Entry::ApprovalRequested { step, .. } => format!("approval asked for {step}"),
        Entry::ApprovalDecided { decision, .. } => format!("decided: {decision:?}"),
        Entry::Paused { step: Some(step), .. } => format!("paused by {step}"),
        Entry::Paused { .. } => "paused by the operator".to_owned(),
        Entry::Resumed { .. } => "resumed".to_owned(),
        Entry::RetryRequested { step, .. } => format!("retry {step}"),
        Entry::SkipRequested { step, .. } => format!("skip {step}"),
        Entry::CancelRequested { compensate, .. } => {
            if *compensate {
                "cancel, taking back".to_owned()
            } else {
                "cancel, leaving all as it is".to_owned()
            }
        }
        Entry::Note { topic, .. } => format!("note {topic}"),
        Entry::Decision(_) => "a record of a decision log".to_owned(),
        Entry::RunEnded { end, summary } => format!("run ended: {end:?} ({summary})"),
        Entry::ModeSwitched { step: Some(step), .. } => format!("{step} goes on ungracefully"),
        Entry::ModeSwitched { .. } => "the run goes on ungracefully".to_owned(),
        Entry::RequestAnswered { request, .. } => format!("request {request} answered"),
        other => format!("{other:?}"),
    }
}

fn out(what: &str) -> Error {
    Error::new(ErrorKind::Storage, format!("{what}: the store does not serve"))
}

impl Line {
    fn who(&self) -> Who {
        Who(self.process.engine, self.process.life)
    }

    fn tell(&self, what: What) {
        self.store.history.add(what);
    }

    async fn travel(&self) {
        let millis = self.store.state().dice.between(1, 12);
        self.process.sleep(Duration::from_millis(millis)).await;
    }

    async fn die(&self, how: &'static str) {
        self.tell(What::Crashed(self.who(), how));
        self.process.kill();
        std::future::pending::<()>().await;
    }

    /// What an outage makes of a request: nothing when there is none, or its reply is lost only.
    async fn outage(&self, what: &str) -> Result<Option<Outage>> {
        self.process.gate().await;
        let outage = self.store.state().outage;
        match outage {
            Some(Outage::Refuses) => {
                self.travel().await;
                Err(out(what).with_effect(Effect::NotApplied))
            }
            Some(Outage::Hangs) => std::future::pending().await,
            other => {
                self.travel().await;
                Ok(other)
            }
        }
    }

    async fn reply<T>(&self, what: &str, outage: Option<Outage>, result: Result<T>) -> Result<T> {
        self.travel().await;
        match outage {
            Some(_) => Err(out(what)),
            None => result,
        }
    }

    fn acknowledge(&self, expect: Seq, last: Seq, entries: Vec<Entry>) {
        self.tell(What::Acknowledged { who: self.who(), last: last.0 });
        let mut state = self.store.state();
        state.acknowledged.extend((expect.0 + 1..).map(Seq).zip(entries));
    }

    /// Writes as the mutant does it; as it should be done without one.
    async fn write(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let store = &self.store;
        match self.mutant {
            Some(Mutant::AcknowledgesUnsynced) => {
                let earlier = std::mem::take(&mut *self.unsynced.lock().unwrap_or_else(PoisonError::into_inner));
                let mut last = store.last().await?;
                for (lease, entries) in earlier {
                    last = store.put(self.who(), &lease, last, entries)?;
                }
                if last != expect {
                    return Err(Error::new(ErrorKind::Conflict, "the run does not end there"));
                }
                let ends = entries.iter().any(|entry| matches!(entry, Entry::RunEnded { .. }));
                let told = Seq(expect.0 + u64::try_from(entries.len()).unwrap_or(0));
                if ends {
                    return store.put(self.who(), lease, last, entries);
                }
                self.unsynced.lock().unwrap_or_else(PoisonError::into_inner).push((lease.clone(), entries));
                Ok(told)
            }
            Some(Mutant::AppendsAnywhere) => {
                let last = store.last().await?;
                store.put(self.who(), lease, last, entries)
            }
            Some(Mutant::LosesIntents) => {
                let told = Seq(expect.0 + u64::try_from(entries.len()).unwrap_or(0));
                let kept: Vec<Entry> = entries
                    .into_iter()
                    .filter(|e| !matches!(e, Entry::StepIntent(_) | Entry::CompensationIntent { .. }))
                    .collect();
                let last = store.last().await?;
                if !kept.is_empty() {
                    store.put(self.who(), lease, last, kept)?;
                }
                Ok(told)
            }
            _ => store.put(self.who(), lease, expect, entries),
        }
    }
}

impl Store {
    async fn last(&self) -> Result<Seq> {
        let records: Vec<Record> = self.inner.read(&self.run, Seq(0)).try_collect().await?;
        Ok(records.last().map_or(Seq(0), |record| record.seq))
    }
}

#[async_trait]
impl Journal for Line {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let outage = self.outage("acquire").await?;
        let acquired = self.store.inner.acquire(run, owner, ttl).await;
        if let Ok(lease) = &acquired
            && *run == self.store.run
        {
            self.store.marks.epoch.store(lease.epoch.0, Ordering::Relaxed);
            self.tell(What::Acquired { who: self.who(), epoch: lease.epoch.0 });
        }
        self.reply("acquire", outage, acquired).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        if self.mutant == Some(Mutant::BelievesItsLease) {
            return Ok(lease.clone());
        }
        let outage = self.outage("renew").await?;
        let renewed = self.store.inner.renew(lease, ttl).await;
        if let Err(error) = &renewed {
            self.tell(What::Refused { who: self.who(), what: "renew", why: error.to_string() });
        }
        self.reply("renew", outage, renewed).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        let outage = self.outage("release").await?;
        let released = self.store.inner.release(lease).await;
        self.reply("release", outage, released).await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        self.process.gate().await;
        if lease.run != self.store.run {
            return self.store.inner.append(lease, expect, entries).await;
        }
        let engine = self.process.engine;
        let (dies, astray) = {
            let mut state = self.store.state();
            let count = state.appends.entry(engine).or_default();
            *count += 1;
            let nth = *count;
            let dies = state.dying.iter().find(|(e, n, _)| *e == engine && *n == nth).map(|(.., phase)| *phase);
            let astray = state.astray.iter().find(|(e, n, ..)| *e == engine && *n == nth).copied();
            (dies, astray)
        };
        if dies == Some(Phase::Before) {
            self.die("before a write").await;
        }
        let outage = self.outage("append").await?;
        let letter = || Letter { who: self.who(), lease: lease.clone(), expect, entries: entries.clone() };
        if let Some((.., by, true)) = astray {
            self.store.post(by, letter());
            return self.reply("append", Some(Outage::ReplyLost), Ok(expect)).await;
        }
        if let Some((.., by, false)) = astray {
            self.store.post(by, letter());
        }
        let written = self.write(lease, expect, entries.clone()).await;
        if dies == Some(Phase::Written) {
            self.die("after a write, before it is told").await;
        }
        let told = self.reply("append", outage, written).await;
        if let Ok(last) = &told {
            self.acknowledge(expect, *last, entries);
        }
        if dies == Some(Phase::Told) {
            self.die("after a write, having been told").await;
        }
        told
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        let answer = async move {
            let outage = self.outage("read").await?;
            let records: Result<Vec<Record>> = self.store.inner.read(run, after).try_collect().await;
            let records = self.reply("read", outage, records).await?;
            Ok::<_, Error>(futures::stream::iter(records.into_iter().map(Ok)))
        };
        futures::stream::once(answer).try_flatten().boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        let outage = self.outage("list").await?;
        let runs = self.store.inner.open_runs().await;
        self.reply("list", outage, runs).await
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        let outage = self.outage("list").await?;
        let runs = self.store.inner.runs().await;
        self.reply("list", outage, runs).await
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        let outage = self.outage("submit").await?;
        let submitted = self.store.inner.submit(run, request).await;
        self.reply("submit", outage, submitted).await
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        let outage = self.outage("read requests").await?;
        let requests = self.store.inner.requests(run, after).await;
        self.reply("read requests", outage, requests).await
    }
}
