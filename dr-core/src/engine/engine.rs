use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures::TryStreamExt as _;
use serde_json::Value;
use tokio::sync::{mpsc, oneshot};

use super::{
    Approver, Control, EngineBuilder, HealthSource, NewRun, OnPause, RunView, TrafficSource,
    announce::{Announcer, Telling, waits},
    lease_keeper::Moment,
    mail::{Mail, Mailbox},
    runner::{Runner, check_steps},
};
use crate::{
    decision::DecisionLog,
    error::{Effect, Error, ErrorKind, Result},
    event::{EventKind, EventSink},
    journal::{Entry, Journal, Lease, Seq},
    model::{ApplicationId, OwnerId, RunId},
    step::StepRegistry,
    time::SharedClock,
};

/// The longest lease under which a run is written into without being run: should the process die meanwhile, nobody waits
/// longer for the run.
const SHORT: Duration = Duration::from_secs(10);

/// What an engine works with.
#[derive(Debug)]
pub(super) struct Core {
    pub(super) journal: Arc<dyn Journal>,
    pub(super) steps: StepRegistry,
    pub(super) clock: SharedClock,
    pub(super) events: Arc<dyn EventSink>,
    pub(super) owner: OwnerId,
    pub(super) approver: Option<Arc<dyn Approver>>,
    pub(super) health: Option<Arc<dyn HealthSource>>,
    pub(super) traffic: Option<Arc<dyn TrafficSource>>,
    pub(super) ttl: Duration,
    pub(super) patience: Duration,
    pub(super) listen_every: Duration,
    pub(super) answer_within: Duration,
    pub(super) on_pause: OnPause,
    pub(super) active: Mutex<BTreeMap<RunId, Mailbox>>,
    #[cfg(feature = "sim")]
    pub(super) meddle: Option<super::Meddle>,
}

impl Core {
    fn active(&self) -> MutexGuard<'_, BTreeMap<RunId, Mailbox>> {
        self.active.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn announcer(&self, run: &RunId) -> Announcer {
        Announcer { run: run.clone(), clock: self.clock.clone(), events: Arc::clone(&self.events) }
    }
}

/// Runs plans, so that a process which dies at any moment loses nothing and does nothing twice. Clones are one engine.
///
/// ```
/// use std::{sync::{Arc, atomic::{AtomicBool, Ordering}}, time::Duration};
/// use dr_core::{
///     engine::{Engine, NewRun, RunState, new_run_id},
///     error::Result,
///     journal::MemoryJournal,
///     model::{ApplicationId, Objectives, RegionId},
///     plan::{Call, Goal, GoalKind, Mode, Phase, PlanBuilder},
///     step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
///     time::{SharedClock, SystemClock},
/// };
///
/// /// Turns on a light that everybody can see.
/// #[derive(Clone, Debug, Default)]
/// struct LightOn(Arc<AtomicBool>);
///
/// #[async_trait::async_trait]
/// impl Step for LightOn {
///     const KIND: &'static str = "example.light_on";
///     type Params = ();
///     type Output = ();
///     fn reversibility(&self) -> Reversibility { Reversibility::Reversible }
///     fn calls(&self, _: &()) -> Vec<Call> { Vec::new() }
///     async fn observe(&self, _: &StepCx, _: &()) -> Result<Observed<()>> {
///         Ok(if self.0.load(Ordering::SeqCst) { Observed::Done { output: () } } else { Observed::NotStarted })
///     }
///     async fn execute(&self, _: &StepCx, _: &()) -> Result<()> {
///         self.0.store(true, Ordering::SeqCst);
///         Ok(())
///     }
///     async fn compensate(&self, _: &StepCx, _: &(), _: Option<&()>) -> Result<()> {
///         self.0.store(false, Ordering::SeqCst);
///         Ok(())
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
/// let goal = Goal {
///     kind: GoalKind::Drill,
///     from: RegionId::new("us-east-1")?,
///     to: RegionId::new("eu-west-1")?,
///     mode: Mode::Ungraceful,
/// };
/// let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
/// let mut builder = PlanBuilder::new(ApplicationId::new("shop")?, goal, objectives);
/// let light = LightOn::default();
/// builder.step("light", &light, &()).phase(Phase::Shift);
/// let plan = builder.build()?;
///
/// let clock: SharedClock = Arc::new(SystemClock::new());
/// let journal = Arc::new(MemoryJournal::new(clock.clone()));
/// let mut steps = StepRegistry::new();
/// steps.register(erase(light.clone()))?;
/// let engine = Engine::builder(journal, steps, clock.clone()).build();
///
/// let run = new_run_id(&clock);
/// engine.create(NewRun::new(run.clone(), plan)).await?;
/// let view = engine.run(&run).await?; // had this process died meanwhile: another takes up the same run, in the same words
/// assert_eq!(view.state(), RunState::Completed);
/// assert!(light.0.load(Ordering::SeqCst));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Engine {
    core: Arc<Core>,
}

impl Engine {
    /// An engine over a journal, with every step that it may be asked to make.
    #[must_use]
    pub fn builder(journal: Arc<dyn Journal>, steps: StepRegistry, clock: SharedClock) -> EngineBuilder {
        EngineBuilder::new(journal, steps, clock)
    }

    pub(super) fn core(&self) -> &Core {
        &self.core
    }

    pub(super) fn from_core(core: Core) -> Self {
        Self { core: Arc::new(core) }
    }

    /// Creates a run: durable when this returns, and begun by [`run`](Self::run).
    ///
    /// The run's name is its idempotency token: creating it again, with the same plan, changes nothing.
    ///
    /// # Errors
    ///
    /// [`PreconditionFailed`](ErrorKind::PreconditionFailed) when lint blocks the plan, when it has a step without a way
    /// back that nobody approves, or while the application has another open run; [`Conflict`](ErrorKind::Conflict) when
    /// the run exists with another plan, or another process is creating one for the application; what the journal fails with.
    pub async fn create(&self, new: NewRun) -> Result<()> {
        new.check()?;
        // One creation at a time for an application: the check for an open run and the creation are one. Child plans take
        // their applications with them, in one order everywhere.
        let mut turns = Vec::new();
        let mut created = Ok(());
        for application in new.plan.applications() {
            match self.core.journal.acquire(&creation(application)?, &self.core.owner, self.core.ttl).await {
                Ok(turn) => turns.push(turn),
                Err(error) => {
                    created = Err(error);
                    break;
                }
            }
        }
        if created.is_ok() {
            created = self.create_alone(new).await;
        }
        for turn in turns {
            let _ = self.core.journal.release(turn).await;
        }
        created
    }

    async fn create_alone(&self, new: NewRun) -> Result<()> {
        // The name is the token: whoever has lost the reply to a creation creates again, and nothing happens.
        let first = self.core.journal.read(&new.run, Seq(0)).try_next().await?;
        match first.map(|record| record.entry) {
            Some(Entry::RunCreated { plan, .. }) if plan.digest() == new.plan.digest() => return Ok(()),
            Some(_) => {
                let message =
                    format!("there is a run {} already, of another plan: name the new one otherwise", new.run);
                return Err(Error::new(ErrorKind::Conflict, message).with_effect(Effect::NotApplied));
            }
            None => {}
        }
        let applications = new.plan.applications();
        for open in self.core.journal.open_runs().await? {
            let first = self.core.journal.read(&open, Seq(0)).try_next().await?;
            if let Some(Entry::RunCreated { plan, .. }) = first.map(|record| record.entry)
                && let Some(application) = plan.applications().intersection(&applications).next()
                && open != new.run
            {
                let message = format!("run {open} of {application} has not ended: resume it or cancel it first");
                return Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied));
            }
        }
        let lease = self.core.journal.acquire(&new.run, &self.core.owner, self.core.ttl).await?;
        let entry = Entry::RunCreated {
            plan: Box::new(new.plan),
            inventory: Box::new(new.inventory),
            findings: new.findings,
            waivers: new.waivers,
            unattended: new.unattended,
            by: self.core.owner.clone(),
        };
        let appended = self.core.journal.append(&lease, Seq(0), vec![entry]).await;
        let _ = self.core.journal.release(lease).await;
        appended.map(drop)
    }

    /// Takes a run up, wherever an earlier engine left it, and works until it has ended, is held, or (with
    /// [`OnPause::Return`]) waits for a person. What is left to be told is in the view's
    /// [`state`](RunView::state). Dropping the future is a crash, from which another call recovers.
    ///
    /// # Errors
    ///
    /// [`Conflict`](ErrorKind::Conflict) while another engine holds the run, [`NotFound`](ErrorKind::NotFound) when the
    /// journal has no such run, [`Unsupported`](ErrorKind::Unsupported) when the plan has steps that this engine does
    /// not know; what the journal fails with. Losing the journal or the lease later is no error, but
    /// [`Held`](super::RunState::Held).
    pub async fn run(&self, run: &RunId) -> Result<RunView> {
        let (sender, inbox) = mpsc::unbounded_channel();
        let mail = Mailbox(sender);
        let _active = Active::new(&self.core, run, &mail)?;
        let (lease, asked) = self.acquire(run).await?;
        let view = match self.load(run).await {
            Ok(view) if view.ended().is_none() => view,
            other => {
                let _ = self.core.journal.release(lease).await;
                return other;
            }
        };
        Ok(Runner::new(Arc::clone(&self.core), view, lease, asked, mail, inbox).work().await)
    }

    async fn load(&self, run: &RunId) -> Result<RunView> {
        let view = RunView::load(&*self.core.journal, run).await?;
        if view.ended().is_none() {
            check_steps(&self.core, &view)?;
        }
        Ok(view)
    }

    /// The lease, and the moment before it was asked for: from then on it is counted.
    async fn acquire(&self, run: &RunId) -> Result<(Lease, Moment)> {
        let core = &self.core;
        let begun = core.clock.monotonic();
        let mut told = false;
        loop {
            let asked = Moment::now(&core.clock);
            match core.journal.acquire(run, &core.owner, core.ttl).await {
                Ok(lease) => return Ok((lease, asked)),
                Err(error)
                    if error.kind() == ErrorKind::Conflict && core.clock.monotonic().since(begun) < core.patience =>
                {
                    if !told {
                        told = true;
                        let message = format!("waiting: {error}");
                        core.announcer(run).emit(EventKind::Said { who: "engine".to_owned(), message });
                    }
                    core.clock.sleep((core.ttl / 10).min(core.patience)).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells a run what somebody wants of it: through the engine's ear while this engine works on it; into the journal while
    /// nobody does, for which the run is held for a moment; and through the run's inbox while an engine of another process
    /// does, whose answer is waited for. Durable when this returns; saying it twice says it once.
    ///
    /// # Errors
    ///
    /// As [`accept`](super::accept) and [`ask`](Self::ask); [`Unavailable`](ErrorKind::Unavailable) when the engine let go
    /// of the run before it listened; what the journal fails with.
    pub async fn control(&self, run: &RunId, control: Control) -> Result<()> {
        let (taken, answer) = oneshot::channel();
        match self.ear(run) {
            Some(mail) => {
                mail.send(Mail::Control { control, taken });
                answer.await.unwrap_or_else(|_| Err(deaf(run)))
            }
            None => self.control_from_outside(run, &control).await,
        }
    }

    /// Keeps a measurement or a remark in the run's journal: `verdict`, `rpo`, `lag`.
    ///
    /// # Errors
    ///
    /// As [`control`](Self::control).
    pub async fn note(&self, run: &RunId, topic: &str, value: Value) -> Result<()> {
        let (taken, answer) = oneshot::channel();
        let topic = topic.to_owned();
        match self.ear(run) {
            Some(mail) => {
                mail.send(Mail::Note { topic, value, taken });
                answer.await.unwrap_or_else(|_| Err(deaf(run)))
            }
            None => {
                self.write(run, |view| match view.ended() {
                    None => Ok(vec![Entry::Note { topic, value }]),
                    Some(_) => Err(Error::new(ErrorKind::PreconditionFailed, format!("run {run} has ended"))
                        .with_effect(Effect::NotApplied)),
                })
                .await
            }
        }
    }

    fn ear(&self, run: &RunId) -> Option<Mailbox> {
        self.core.active().get(run).cloned()
    }

    /// How long the lease lasts under which a run is written into, unless it is given back before.
    pub(super) fn short(&self) -> Duration {
        self.core.ttl.min(SHORT)
    }

    /// Writes into a run that no engine works on: first what its inbox asks, then what is to be written.
    pub(super) async fn write(&self, run: &RunId, entries: impl FnOnce(&RunView) -> Result<Vec<Entry>>) -> Result<()> {
        let lease = self.core.journal.acquire(run, &self.core.owner, self.short()).await?;
        let written = self.write_with(&lease, entries).await;
        let _ = self.core.journal.release(lease).await;
        written
    }

    async fn write_with(&self, lease: &Lease, entries: impl FnOnce(&RunView) -> Result<Vec<Entry>>) -> Result<()> {
        let mut view = self.answer_inbox(lease).await?;
        let entries = entries(&view)?;
        self.write_down(lease, &mut view, entries).await
    }

    /// Writes entries under a lease, takes them in, and tells those who watch. One append, one sync.
    pub(super) async fn write_down(&self, lease: &Lease, view: &mut RunView, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let first = view.seq();
        self.core.journal.append(lease, first, entries.clone()).await?;
        let (announcer, at, mut telling) =
            (self.core.announcer(&lease.run), self.core.clock.wall(), Telling::default());
        for (seq, entry) in (first.0 + 1..).zip(&entries) {
            let waited = waits(view);
            view.apply(Seq(seq), at, lease.epoch, entry);
            announcer.tell(telling.events(view, waited, entry, Duration::ZERO));
        }
        Ok(())
    }

    /// What the journal says of a run.
    ///
    /// # Errors
    ///
    /// As [`RunView::load`].
    pub async fn view(&self, run: &RunId) -> Result<RunView> {
        RunView::load(&*self.core.journal, run).await
    }

    /// The runs that have not ended, oldest first; decision logs, which never do, are not among them.
    ///
    /// # Errors
    ///
    /// As [`Journal::open_runs`].
    pub async fn open_runs(&self) -> Result<Vec<RunId>> {
        let open = self.core.journal.open_runs().await?;
        Ok(open.into_iter().filter(|run| !DecisionLog::is_one(run)).collect())
    }

    /// How long its leases last without being renewed.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.core.ttl
    }

    /// The journal.
    #[must_use]
    pub fn journal(&self) -> &Arc<dyn Journal> {
        &self.core.journal
    }
}

fn deaf(run: &RunId) -> Error {
    Error::new(ErrorKind::Unavailable, format!("the engine let go of run {run} before it listened"))
}

/// The lease under which an application's runs are created.
fn creation(application: &ApplicationId) -> Result<RunId> {
    // Cut to the length of a name; applications that share the cut wait for each other, no more.
    let name: String = format!("application/{application}").chars().take(128).collect();
    RunId::new(name).map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()).with_effect(Effect::NotApplied))
}

/// That this engine works on a run, for as long as it does.
struct Active<'a> {
    core: &'a Core,
    run: &'a RunId,
}

impl<'a> Active<'a> {
    fn new(core: &'a Core, run: &'a RunId, mail: &Mailbox) -> Result<Self> {
        let mut active = core.active();
        if active.contains_key(run) {
            return Err(Error::new(ErrorKind::Conflict, format!("this engine works on run {run} already"))
                .with_effect(Effect::NotApplied));
        }
        active.insert(run.clone(), mail.clone());
        drop(active);
        Ok(Self { core, run })
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.core.active().remove(self.run);
    }
}
