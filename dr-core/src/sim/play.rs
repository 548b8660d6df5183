//! Plays a scenario: starts and kills engines, breaks and mends the world, says what people want, and makes time pass.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures::{FutureExt as _, TryStreamExt as _};
use tokio::task::JoinHandle;

use super::{
    VirtualTime,
    cell::REGIONS,
    history::{History, What, Who},
    invariant::{Evidence, Invariant, Violation, check},
    machine::{Host, Process, StoreClock},
    mutant::{self, Mutant},
    operator::{OnCall, control},
    resume,
    scenario::{EngineScript, Outage, Scenario, Trouble, Wish},
    script,
    store::{Line, Sample, Store},
    verbs::{Hand, registry},
    world::{Marks, World},
};
use crate::{
    engine::{AutoApprove, Control, Engine, NewRun, OnPause, RunState, RunView},
    error::{Error, ErrorKind, Result},
    journal::{Entry, Journal as _, MemoryJournal, Record, Request, Seq},
    model::{Plane, RegionId, RequestToken, RunId},
    plan::PlanDigest,
    testing::{Fault, FaultRule},
    time::{Clock as _, ManualClock, SharedClock},
};

/// The engine that finishes the run when nothing goes wrong any more, by its place among engines.
const CLOSER: u8 = 7;
/// The process through which the operator acts when no engine runs.
const OPERATOR: u8 = 6;
/// How often whoever is on call looks.
const ON_CALL: Duration = Duration::from_secs(5);
/// How long the other engines are watched after the end.
const LINGER: Duration = Duration::from_secs(40);
/// No run needs more moments than this: a run that does is going round in circles.
const MOMENTS: u64 = 60_000;

/// What came of a scenario.
#[derive(Debug)]
pub(crate) struct Played {
    pub(crate) violations: Vec<Violation>,
    pub(crate) history: Vec<(Duration, What)>,
    pub(crate) state: Option<RunState>,
    pub(crate) records: usize,
}

/// Something that happens at its time.
#[derive(Clone, Debug)]
enum Act {
    Start(u8),
    Kill(u8, &'static str),
    Switch(u8, Option<Plane>, Option<Fault>),
    Rule(FaultRule),
    Suspend(u8, bool),
    Wake(u8),
    Jump(Option<u8>, i64),
    StoreOut(Option<Outage>),
    Block(u16, Option<Duration>),
    Wish(Wish),
    Heal,
    OnCall,
}

/// A process that is (or was) at work.
struct Life {
    process: Process,
    engine: Engine,
    task: JoinHandle<()>,
    result: Arc<Mutex<Option<Result<RunView>>>>,
}

/// The things of one scenario.
pub(crate) struct Stage<'s> {
    pub(crate) scenario: &'s Scenario,
    pub(crate) time: ManualClock,
    pub(crate) history: History,
    pub(crate) world: World,
    pub(crate) store: Store,
    pub(crate) journal: MemoryJournal,
    pub(crate) run: RunId,
    pub(crate) mutant: Option<Mutant>,
}

impl Stage<'_> {
    fn line(&self, process: &Process) -> Arc<Line> {
        Arc::new(Line {
            store: self.store.clone(),
            process: process.clone(),
            mutant: self.mutant,
            unsynced: Mutex::default(),
        })
    }

    pub(crate) fn engine(&self, process: &Process, script: &EngineScript) -> Result<Engine> {
        let hand = Hand { world: self.world.clone(), process: process.clone(), mutant: self.mutant };
        let clock: SharedClock = Arc::new(process.clone());
        let mut builder = Engine::builder(self.line(process), registry(&hand), clock)
            .owner(script::owner(process.engine)?)
            .lease(script.lease)
            .patience(script.patience)
            .on_pause(if script.waits { OnPause::Wait } else { OnPause::Return })
            .meddle(mutant::meddle(self.mutant));
        if script.approves {
            builder = builder.approver(Arc::new(AutoApprove::new("policy", "as agreed")));
        }
        Ok(builder.build())
    }

    pub(crate) fn now(&self) -> Duration {
        self.time.monotonic().since_origin()
    }

    /// The records, as the store has them.
    pub(crate) fn records(&self) -> Result<Vec<Record>> {
        let read = self.journal.read(&self.run, Seq(0)).try_collect().now_or_never();
        read.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the memory journal waits for something")))
    }

    pub(crate) fn view(&self) -> Result<RunView> {
        let loaded = RunView::load(&self.journal, &self.run).now_or_never();
        loaded.unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the memory journal waits for something")))
    }

    /// The next moment at which something happens by itself.
    pub(crate) fn next(&self) -> Option<Duration> {
        let sleeper = self.time.next_deadline().map(|at| at.since_origin());
        [sleeper, self.world.next_arrival(), self.store.next_arrival()].into_iter().flatten().min()
    }

    /// Makes time pass up to a moment, and lets what was on its way arrive.
    pub(crate) fn advance(&self, to: Duration) {
        self.time.advance(to.saturating_sub(self.now()));
        self.world.arrive();
        self.store.arrive();
    }

    /// Lets everything arrive that is still on its way.
    pub(crate) fn drain(&self) {
        while let Some(next) = [self.world.next_arrival(), self.store.next_arrival()].into_iter().flatten().min() {
            self.advance(next);
        }
    }
}

/// Builds what a scenario plays on, and creates the run.
fn stage<'s>(scenario: &'s Scenario, mutant: Option<Mutant>) -> Result<(Stage<'s>, StoreClock, PlanDigest)> {
    let time = ManualClock::new();
    let history = History::new(time.clone());
    let marks = Arc::new(Marks::default());
    let world = World::new(scenario.seed, time.clone(), history.clone(), Arc::clone(&marks), &scenario.names());
    let store_clock = StoreClock::new(time.clone());
    let journal = MemoryJournal::new(Arc::new(store_clock.clone()));
    let run = script::run()?;
    let (j, t, h) = (journal.clone(), time.clone(), history.clone());
    let store = Store::new(j, t, h, Arc::clone(&marks), world.clone(), run.clone(), scenario.seed, mutant);
    let process = Process::new(OPERATOR, 0, Arc::new(Host::new(time.clone())));
    let hand = Hand { world: world.clone(), process: process.clone(), mutant };
    let plan = script::plan(scenario, &hand)?;
    let digest = plan.digest().clone();
    let clock: SharedClock = Arc::new(process);
    let creator =
        Engine::builder(Arc::new(journal.clone()), registry(&hand), clock).owner(script::owner(OPERATOR)?).build();
    let new = NewRun::new(run.clone(), plan).unattended("operator", "a simulation");
    creator
        .create(new)
        .now_or_never()
        .unwrap_or_else(|| Err(Error::new(ErrorKind::Internal, "the memory journal waits for something")))?;
    marks.durable.store(1, std::sync::atomic::Ordering::Relaxed);
    Ok((Stage { scenario, time, history, world, store, journal, run, mutant }, store_clock, digest))
}

/// Everything that is to happen, by its time.
fn agenda(scenario: &Scenario, stage: &Stage<'_>) -> BTreeMap<(Duration, u32), Act> {
    let mut acts: Vec<(Duration, Act)> = Vec::new();
    for (engine, script) in (0..).zip(&scenario.engines) {
        acts.push((script.start, Act::Start(engine)));
    }
    for trouble in &scenario.troubles {
        match trouble.clone() {
            Trouble::Region { region, plane, fault, from, until } => {
                acts.push((from, Act::Switch(region, plane, Some(fault))));
                acts.push((until, Act::Switch(region, plane, None)));
            }
            Trouble::Calls { rule, from } => acts.push((from, Act::Rule(rule))),
            Trouble::Crash { engine, at } => acts.push((at, Act::Kill(engine, "killed"))),
            Trouble::CrashAtAppend { engine, nth, phase } => stage.store.die_at_append(engine, nth, phase),
            Trouble::CrashAtCall { engine, nth, sent } => stage.world.die_at_call(engine, nth, sent),
            Trouble::Suspend { engine, from, until, counted } => {
                acts.push((from, Act::Suspend(engine, counted)));
                acts.push((until, Act::Wake(engine)));
            }
            Trouble::Wall { engine, at, by_ms } => acts.push((at, Act::Jump(engine, by_ms))),
            Trouble::Store { how, from, until } => {
                acts.push((from, Act::StoreOut(Some(how))));
                acts.push((until, Act::StoreOut(None)));
            }
            Trouble::LateAppend { engine, nth, by } => stage.store.lead_astray(engine, nth, by, true),
            Trouble::AppendTwice { engine, nth, by } => stage.store.lead_astray(engine, nth, by, false),
            Trouble::Blocked { step, from, until } => {
                if let Some(at) = (0..).zip(&scenario.steps).find(|(_, s)| s.id == step).map(|(at, _)| at) {
                    acts.push((from, Act::Block(at, Some(until))));
                    acts.push((until, Act::Block(at, None)));
                }
            }
        }
    }
    acts.extend(scenario.wishes.iter().map(|(at, wish)| (*at, Act::Wish(wish.clone()))));
    // What was to happen later does not: from then on nothing goes wrong any more.
    acts.retain(|(at, _)| *at < scenario.heals);
    acts.push((scenario.heals, Act::Heal));
    (0..).zip(acts).map(|(n, (at, act))| ((at, n), act)).collect()
}

/// The director: who is alive, who starts again when, and what comes next.
struct Director<'s, 't> {
    stage: Stage<'s>,
    virtual_time: &'t VirtualTime,
    store_clock: StoreClock,
    digest: PlanDigest,
    hosts: BTreeMap<u8, Arc<Host>>,
    lives: BTreeMap<u8, Life>,
    counts: BTreeMap<u8, u16>,
    agenda: BTreeMap<(Duration, u32), Act>,
    next_act: u32,
    regions: Vec<RegionId>,
    on_call: OnCall,
    healed: bool,
    asks: Vec<JoinHandle<()>>,
    violations: Vec<Violation>,
}

/// Plays a scenario, and judges it.
///
/// # Errors
///
/// When the scenario cannot be built, which is a fault of this room.
pub(crate) fn play(virtual_time: &VirtualTime, scenario: &Scenario, mutant: Option<Mutant>) -> Result<Played> {
    let (stage, store_clock, digest) = stage(scenario, mutant)?;
    let agenda = agenda(scenario, &stage);
    let initial = stage.world.settled();
    let mut director = Director {
        virtual_time,
        store_clock,
        digest,
        hosts: BTreeMap::new(),
        lives: BTreeMap::new(),
        counts: BTreeMap::new(),
        next_act: u32::try_from(agenda.len()).unwrap_or(u32::MAX),
        agenda,
        regions: REGIONS.iter().filter_map(|name| RegionId::new(*name).ok()).collect(),
        on_call: OnCall::new(scenario.closing),
        healed: false,
        asks: Vec::new(),
        violations: Vec::new(),
        stage,
    };
    virtual_time.conduct(director.direct());
    let Director { stage, mut violations, .. } = director;
    stage.drain();
    let history = stage.history.take();
    let records = stage.records()?;
    let view = match stage.view() {
        Ok(view) => view,
        Err(error) => {
            let (invariant, at, what) = (Invariant::JournalMakesSense, stage.now(), error.to_string());
            violations.push(Violation { invariant, at, what });
            return Ok(Played { violations, history, state: None, records: records.len() });
        }
    };
    let evidence = Evidence {
        scenario,
        history: &history,
        records: &records,
        view: &view,
        courses: &stage.world.courses(),
        initial: &initial,
        acknowledged: &stage.store.acknowledged(),
        since: Seq(0),
        now: stage.now(),
    };
    violations.extend(check(&evidence));
    if violations.is_empty()
        && let Some(sample) = stage.store.sample()
    {
        violations.extend(resume::check(virtual_time, &evidence, &sample, mutant)?);
    }
    Ok(Played { violations, history, state: Some(view.state()), records: records.len() })
}

impl Director<'_, '_> {
    fn host(&mut self, engine: u8) -> Arc<Host> {
        let time = &self.stage.time;
        Arc::clone(self.hosts.entry(engine).or_insert_with(|| Arc::new(Host::new(time.clone()))))
    }

    fn later(&mut self, after: Duration, act: Act) {
        let at = self.stage.now() + after;
        self.agenda.insert((at, self.next_act), act);
        self.next_act += 1;
    }

    fn tell(&self, text: String) {
        self.stage.history.add(What::Trouble(text));
    }

    async fn direct(&mut self) {
        let mut ended_at = None;
        let mut moments = 0_u64;
        loop {
            self.virtual_time.idle().await;
            self.look_after_lives();
            let now = self.stage.now();
            if self.stage.store.ended() {
                let since = *ended_at.get_or_insert(now);
                if self.lives.is_empty() || now - since > LINGER {
                    break;
                }
            }
            moments += 1;
            let next = [self.stage.next(), self.agenda.keys().next().map(|(at, _)| *at)].into_iter().flatten().min();
            let what = match next {
                None => "nothing can happen any more, and the run has not ended".to_owned(),
                Some(_) if moments > MOMENTS => format!("{moments} moments, and the run has not ended"),
                Some(next) if next > self.stage.scenario.heals + self.stage.scenario.bound() => {
                    "the run has not ended in time".to_owned()
                }
                Some(next) => {
                    self.stage.advance(next);
                    self.act(next);
                    continue;
                }
            };
            self.violations.push(Violation { invariant: Invariant::ComesToAnEnd, at: now, what });
            break;
        }
        for (_, life) in std::mem::take(&mut self.lives) {
            life.process.kill();
            life.task.abort();
        }
        self.asks.drain(..).for_each(|ask| ask.abort());
        // What was aborted is gone when nothing is ready any more.
        self.virtual_time.idle().await;
    }

    /// Takes away the processes that have ended, and starts those again that somebody starts again.
    fn look_after_lives(&mut self) {
        let over: Vec<u8> = self
            .lives
            .iter()
            .filter(|(_, life)| !life.process.is_alive() || life.task.is_finished())
            .map(|(engine, _)| *engine)
            .collect();
        for engine in over {
            let Some(life) = self.lives.remove(&engine) else { continue };
            life.process.kill();
            life.task.abort();
            let result = life.result.lock().unwrap_or_else(PoisonError::into_inner).take();
            let who = Who(engine, life.process.life);
            if let Some(result) = &result {
                let how = match result {
                    Ok(view) => view.held().map_or_else(|| view.state().to_string(), |why| format!("held: {why}")),
                    Err(error) => format!("refused: {error}"),
                };
                self.stage.history.add(What::Returned(who, how));
            }
            if self.stage.store.ended() {
                continue;
            }
            if engine == CLOSER {
                self.later(Duration::from_secs(1), Act::Start(CLOSER));
            } else if let Some(script) = self.stage.scenario.engines.get(usize::from(engine))
                && !self.healed
                && self.counts.get(&engine).is_some_and(|count| *count <= script.restarts)
            {
                self.later(script.restart_after, Act::Start(engine));
            }
        }
    }

    fn act(&mut self, now: Duration) {
        while let Some(entry) = self.agenda.first_entry().filter(|entry| entry.key().0 <= now) {
            let act = entry.remove();
            self.perform(act);
        }
    }

    fn perform(&mut self, act: Act) {
        match act {
            Act::Start(engine) => self.start(engine),
            Act::Kill(engine, how) => {
                if let Some(life) = self.lives.get(&engine) {
                    life.process.kill();
                    life.task.abort();
                    self.stage.history.add(What::Crashed(Who(engine, life.process.life), how));
                }
            }
            Act::Switch(region, plane, fault) => {
                let Some(name) = self.regions.get(usize::from(region)) else { return };
                match plane {
                    Some(plane) => self.stage.world.board().switch(name, plane, fault),
                    None => self.stage.world.board().switch_region(name, fault),
                }
                let what = plane.map_or_else(|| "everything".to_owned(), |plane| format!("the {plane} plane"));
                self.tell(match fault {
                    Some(fault) => format!("{what} in {name}: {fault:?}"),
                    None => format!("{what} in {name} is back"),
                });
            }
            Act::Rule(rule) => {
                self.tell(format!("calls go wrong: {rule:?}"));
                self.stage.world.board().add(rule);
            }
            Act::Suspend(engine, counted) => {
                self.tell(format!("the machine of {} stands still", Who(engine, 0)));
                self.host(engine).suspend(counted);
            }
            Act::Wake(engine) => {
                self.tell(format!("the machine of {} goes on", Who(engine, 0)));
                self.host(engine).resume();
            }
            Act::Jump(Some(engine), by_ms) => {
                self.tell(format!("the wall clock of {} jumps by {} s", Who(engine, 0), by_ms / 1000));
                self.host(engine).jump(by_ms);
            }
            Act::Jump(None, by_ms) => {
                self.tell(format!("the wall clock of the store jumps by {} s", by_ms / 1000));
                self.store_clock.jump(by_ms);
            }
            Act::StoreOut(how) => {
                self.tell(
                    how.map_or_else(|| "the store is back".to_owned(), |how| format!("the store is out: {how:?}")),
                );
                self.stage.store.out(how);
            }
            Act::Block(step, until) => self.stage.world.block(step, until),
            Act::Wish(wish) => self.wish(&wish),
            Act::Heal => self.heal(),
            Act::OnCall => self.on_call(),
        }
    }

    fn start(&mut self, engine: u8) {
        if self.lives.contains_key(&engine) || self.stage.store.ended() {
            return;
        }
        let script = match self.stage.scenario.engines.get(usize::from(engine)) {
            Some(script) if engine != CLOSER => script.clone(),
            _ => closer(),
        };
        let count = self.counts.entry(engine).or_default();
        let life = *count;
        *count += 1;
        let process = Process::new(engine, life, self.host(engine));
        let Ok(working) = self.stage.engine(&process, &script) else { return };
        self.stage.history.add(What::Started(Who(engine, life)));
        let result = Arc::new(Mutex::new(None));
        let (body, run, slot) = (working.clone(), self.stage.run.clone(), Arc::clone(&result));
        let task = tokio::spawn(async move {
            let ended = body.run(&run).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        });
        self.lives.insert(engine, Life { process, engine: working, task, result });
    }

    /// Somebody wants something: of an engine that works, or through a process of their own when none does.
    fn wish(&mut self, wish: &Wish) {
        let Some(control) = control(wish, &self.digest) else { return };
        if matches!(wish, Wish::ThroughInbox(_)) {
            return self.submit(wish, &control);
        }
        let engine = match self.lives.values().next() {
            Some(life) => life.engine.clone(),
            None => {
                let process = Process::new(OPERATOR, 0, self.host(OPERATOR));
                let Ok(engine) = self.stage.engine(&process, &closer()) else { return };
                engine
            }
        };
        let (run, history, what) = (self.stage.run.clone(), self.stage.history.clone(), format!("{wish:?}"));
        self.asks.push(tokio::spawn(async move {
            let answer = match engine.control(&run, control).await {
                Ok(()) => "done".to_owned(),
                Err(error) => error.to_string(),
            };
            history.add(What::Asked { what, answer });
        }));
    }

    /// Somebody puts it into the run's inbox, and leaves.
    fn submit(&mut self, wish: &Wish, control: &Control) {
        let process = Process::new(OPERATOR, 0, self.host(OPERATOR));
        let (line, history, what) = (self.stage.line(&process), self.stage.history.clone(), format!("{wish:?}"));
        let (Ok(token), Ok(control), Ok(by)) = (
            RequestToken::new(format!("wish-{}", self.asks.len())),
            serde_json::to_value(control),
            script::owner(OPERATOR),
        ) else {
            return;
        };
        let (run, at) = (self.stage.run.clone(), process.wall());
        self.asks.push(tokio::spawn(async move {
            let answer = match line.submit(&run, Request { token, control, at, by }).await {
                Ok(id) => format!("request {id}"),
                Err(error) => error.to_string(),
            };
            history.add(What::Asked { what, answer });
        }));
    }

    /// From now on nothing goes wrong any more, and one fresh engine brings the run to its end.
    fn heal(&mut self) {
        self.healed = true;
        self.tell("nothing goes wrong any more".to_owned());
        self.stage.world.board().clear();
        self.stage.world.spare_everybody();
        self.stage.store.heal();
        for step in 0..self.stage.scenario.steps.len() {
            self.stage.world.block(u16::try_from(step).unwrap_or(u16::MAX), None);
        }
        let engines: Vec<u8> = self.lives.keys().copied().collect();
        for engine in engines {
            self.perform(Act::Kill(engine, "replaced"));
        }
        self.hosts.values().for_each(|host| host.resume());
        self.later(Duration::ZERO, Act::Start(CLOSER));
        self.later(ON_CALL, Act::OnCall);
    }

    fn on_call(&mut self) {
        if self.stage.store.ended() {
            return;
        }
        let wish = self.stage.view().ok().and_then(|view| self.on_call.decides(&view));
        if let Some(wish) = wish {
            self.wish(&wish);
        }
        self.later(ON_CALL, Act::OnCall);
    }
}

/// The engine that is used when nothing goes wrong any more.
fn closer() -> EngineScript {
    EngineScript {
        start: Duration::ZERO,
        lease: Duration::from_secs(15),
        patience: Duration::from_secs(120),
        waits: true,
        approves: false,
        restart_after: Duration::from_secs(1),
        restarts: u16::MAX,
    }
}

/// Whether somebody decided something among these records.
pub(crate) fn decided_by_people(records: &[Record]) -> bool {
    records.iter().any(|record| match &record.entry {
        Entry::Resumed { .. }
        | Entry::ModeSwitched { .. }
        | Entry::RetryRequested { .. }
        | Entry::SkipRequested { .. }
        | Entry::CancelRequested { .. }
        | Entry::ApprovalDecided { .. } => true,
        Entry::Paused { step, .. } => step.is_none(),
        _ => false,
    })
}

/// Where a story is gone on with.
pub(crate) fn staged_at<'s>(
    scenario: &'s Scenario,
    sample: &Sample,
    prefix: Vec<Record>,
    mutant: Option<Mutant>,
) -> Result<Stage<'s>> {
    let time = ManualClock::new();
    time.advance(sample.at);
    let history = History::new(time.clone());
    let marks = Arc::new(Marks::default());
    marks.durable.store(sample.records.0, std::sync::atomic::Ordering::Relaxed);
    let (t, h, m) = (time.clone(), history.clone(), Arc::clone(&marks));
    let world = World::from(scenario.seed, t, h, m, &scenario.names(), sample.world.clone());
    let run = script::run()?;
    let journal = MemoryJournal::new(Arc::new(StoreClock::new(time.clone()))).with_records(&run, prefix);
    let (j, t, h) = (journal.clone(), time.clone(), history.clone());
    let store = Store::new(j, t, h, Arc::clone(&marks), world.clone(), run.clone(), scenario.seed, mutant);
    Ok(Stage { scenario, time, history, world, store, journal, run, mutant })
}
