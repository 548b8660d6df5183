use std::{future::pending, sync::Arc, time::Duration};

use futures::future::BoxFuture;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{
    Act, Choice, Decision, DecisionLog, Facts, KeepWarm, KillSwitch, LogEntry, Now, Plans, Policy, Prewarm, decide,
    ledger::Ledger, prewarm,
};
use crate::{
    detect::Standings,
    engine::{Control, Engine, OnPause, RunState, RunView, new_run_id},
    error::{Effect, Error, ErrorKind, Result},
    event::{Event, EventKind, EventSink},
    journal::Signed,
    model::{OwnerId, RegionId, RunId},
    plan::Goal,
    planner::BeforeImages,
    step::{Step as _, StepRegistry, erase},
    time::SharedClock,
};

/// How often a decider looks at what others may have done: the kill switch, an answer, an acknowledgement, a run by hand.
const EVERY: Duration = Duration::from_secs(1);
/// How long a step that warms the standby may go on after the verdict, before the failover takes it over.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long after a run that was held it is taken up again.
const AGAIN: Duration = Duration::from_secs(60);

/// What a decider makes of the moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Considered {
    /// The decision.
    pub decision: Decision,
    /// Whether it is another than before, and was written down now.
    pub changed: bool,
    /// For a decision to act: the run that is to come of it.
    pub run: Option<RunId>,
    /// What to do about warming the standby.
    pub prewarm: Prewarm,
}

/// Decides about one application, writes each change of decision down, and carries out what was decided.
///
/// What it knows is in the journal: another that begins where this one ended, or died, comes to the same decisions, and takes
/// up the run of a decision to act instead of starting a second one.
#[derive(Debug)]
pub struct Decider {
    policy: Policy,
    /// What it goes by, beyond what it reads itself. An embedder tells its signals and lags here.
    pub facts: Facts,
    engine: Engine,
    /// The same without an approver: the gate of a run that warms the standby is opened by the verdict and by nobody else.
    warmer: Engine,
    plans: Arc<dyn Plans>,
    log: DecisionLog,
    ledger: Ledger,
    clock: SharedClock,
    events: Arc<dyn EventSink>,
    owner: OwnerId,
    writer: watch::Sender<RegionId>,
    dry: bool,
}

impl Decider {
    /// A decider by this policy. The engine carries out what is decided; `steps` are those that it knows, and `plans` makes
    /// its runs. `owner` has to be a name of its own.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) for a policy that cannot work.
    pub fn new(
        policy: Policy,
        engine: Engine,
        steps: &StepRegistry,
        plans: Arc<dyn Plans>,
        owner: OwnerId,
        clock: SharedClock,
        events: Arc<dyn EventSink>,
    ) -> Result<Self> {
        policy.validate()?;
        let journal = Arc::clone(engine.journal());
        let log = DecisionLog::new(Arc::clone(&journal), &policy.application, owner.clone(), clock.clone())?;
        let mut steps = steps.clone();
        if steps.get(KeepWarm::KIND).is_none() {
            steps.register(erase(KeepWarm)).map_err(|e| invalid(e.to_string()))?;
        }
        let warmer = OwnerId::new(format!("{owner}/warmer")).map_err(|e| invalid(e.to_string()))?;
        let warmer = Engine::builder(journal, steps, clock.clone())
            .owner(warmer)
            .events(Arc::clone(&events))
            .on_pause(OnPause::Return)
            .build();
        let facts = Facts::new(policy.home.clone());
        let (writer, _) = watch::channel(policy.home.clone());
        let ledger = Ledger::default();
        Ok(Self { policy, facts, engine, warmer, plans, log, ledger, clock, events, owner, writer, dry: false })
    }

    /// The same, which says what it would do and does nothing: nothing is written and nothing started.
    #[must_use]
    pub fn dry(mut self) -> Self {
        self.dry = true;
        self
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// The region that takes the writes, as runs move it: what a watch [follows](crate::detect::Watch::following).
    #[must_use]
    pub fn writer(&self) -> watch::Receiver<RegionId> {
        self.writer.subscribe()
    }

    /// The decision log.
    pub fn log(&mut self) -> &mut DecisionLog {
        &mut self.log
    }

    fn now(&self) -> Now {
        Now { monotonic: self.clock.monotonic(), wall: self.clock.wall() }
    }

    fn say(&self, message: String) {
        self.events.emit(&Event {
            at: self.clock.wall(),
            monotonic: self.clock.monotonic(),
            run: None,
            kind: EventKind::Said { who: "decider".to_owned(), message },
        });
    }

    /// Reads what has happened, decides, and writes the decision down when it is another than before. A decision to act is
    /// written down when this returns, and nothing has been started.
    ///
    /// # Errors
    ///
    /// What the journal fails with. Nothing may be started then: nobody would know of it.
    pub async fn consider(&mut self, standings: &Standings) -> Result<Considered> {
        self.facts.standings.clone_from(standings);
        self.facts.stopped_by_file = self.policy.kill_switch.clone().and_then(|file| KillSwitch(file).look());
        self.ledger.read(&self.engine, &self.policy).await?;
        self.log.read().await?;
        let writer = self.ledger.writer(&self.policy).clone();
        self.writer.send_if_modified(|known| std::mem::replace(known, writer.clone()) != writer);
        self.facts.writer = writer;
        let now = self.now();
        let history = self.ledger.history(self.log.view(), now);
        let decision = decide(&self.policy, &self.facts, &history, now);
        let prewarm = prewarm(&self.policy, &self.facts, &history, now);
        if self.dry {
            return Ok(Considered { decision, changed: false, run: None, prewarm });
        }
        let (mut decided, mut run) = (decision, None);
        let fresh = new_run_id(&self.clock);
        let changed = {
            let (ledger, policy, facts, owner) = (&mut self.ledger, &self.policy, &self.facts, &self.owner);
            let (decided, run) = (&mut decided, &mut run);
            let known = self.log.view().last.as_ref().is_some_and(|last| {
                let acts = matches!(decided.choice, Choice::Act { .. });
                !acts && decided.says_the_same_as(&last.decision)
            });
            // A decision to act is taken again under the log's lease: another decider may have just taken it.
            !known
                && self
                    .log
                    .write_if(|log| {
                        *decided = decide(policy, facts, &ledger.history(log, now), now);
                        if matches!(decided.choice, Choice::Act { .. }) {
                            let pending = ledger.pending(log).filter(|act| Some(&act.goal) == decided.goal());
                            if let Some(act) = pending {
                                *run = Some(act.run.clone());
                                return None;
                            }
                            *run = Some(fresh);
                        } else if log.last.as_ref().is_some_and(|last| decided.says_the_same_as(&last.decision)) {
                            return None;
                        }
                        let (decision, run, by) = (decided.clone(), run.clone(), owner.clone());
                        Some(LogEntry::Changed { decision, run, by })
                    })
                    .await?
        };
        Ok(Considered { decision: decided, changed, run, prewarm })
    }

    /// Carries a decision to act out: plans, creates the run, and works on it until it has ended or waits for somebody. That no
    /// run could be created is written down.
    ///
    /// # Errors
    ///
    /// When no plan could be made, or the run could not be created or taken up.
    pub async fn carry_out(&mut self, run: &RunId, decision: &Decision) -> Result<RunView> {
        let Choice::Act { goal, by } = &decision.choice else {
            return Err(invalid("that is no decision to act".to_owned()));
        };
        if let Err(error) = self.create(run, goal, by.as_ref(), decision).await {
            self.log.write(LogEntry::NotStarted { run: run.clone(), why: error.to_string() }).await?;
            return Err(error);
        }
        self.engine.run(run).await
    }

    async fn create(&mut self, run: &RunId, goal: &Goal, by: Option<&Signed>, decision: &Decision) -> Result<()> {
        let mut new = self.plans.run_for(run.clone(), goal).await?;
        // No step without a way back is made in nobody's name: it is the policy's, or that of whoever said yes.
        if new.plan().point_of_no_return().iter().any(|step| step.gate.is_none()) {
            let policy = || Signed {
                who: format!("the decision policy of {}", self.policy.application),
                why: decision.sentence(),
            };
            let by = by.cloned().unwrap_or_else(policy);
            new = new.unattended(by.who, by.why);
        }
        self.engine.create(new).await
    }

    /// Takes up the run of an earlier decision to act, when there is one that has not ended: that of a decider that died.
    ///
    /// # Errors
    ///
    /// As [`Engine::run`].
    pub async fn take_up(&mut self) -> Result<Option<RunView>> {
        self.ledger.read(&self.engine, &self.policy).await?;
        let log = self.log.read().await?;
        match self.ledger.open_act(log) {
            Some(run) => self.engine.run(&run).await.map(Some),
            None => Ok(None),
        }
    }

    /// Begins to warm the standby: writes it down, creates the run, and gives what works on it until it waits at its gate. None
    /// when the plan has nothing that may be done on suspicion.
    ///
    /// # Errors
    ///
    /// When no plan could be made, or the run could not be created.
    pub async fn warm(
        &mut self,
        goal: &Goal,
        why: &str,
    ) -> Result<Option<(RunId, BoxFuture<'static, Result<RunView>>)>> {
        let Some(limits) = self.policy.prewarm else { return Ok(None) };
        let run = new_run_id(&self.clock);
        let whole = self.plans.run_for(run.clone(), goal).await?;
        let plan = whole.plan().prewarming(KeepWarm::KIND, limits.keep).map_err(|e| invalid(e.to_string()))?;
        let entry = LogEntry::Prewarming { run: run.clone(), goal: goal.clone(), why: why.to_owned() };
        // Two deciders that suspect the same warm it once.
        if !self.log.write_if(|log| log.prewarmed.iter().all(|(_, _, over)| *over).then_some(entry)).await? {
            return Ok(None);
        }
        let created = match plan {
            Some(plan) => self.warmer.create(crate::engine::NewRun::new(run.clone(), plan)).await.map(|()| true),
            None => Ok(false),
        };
        match created {
            Ok(true) => {
                let (engine, warming) = (self.warmer.clone(), run.clone());
                Ok(Some((run, Box::pin(async move { engine.run(&warming).await }))))
            }
            other => {
                let why = match &other {
                    Ok(_) => "the plan has no step that may be made on suspicion".to_owned(),
                    Err(error) => error.to_string(),
                };
                self.log.write(LogEntry::PrewarmOver { run, kept: false, why }).await?;
                other.map(|_| None)
            }
        }
    }

    /// Ends the run that warms the standby: `kept`, for a failover that needs what it did, or taken back.
    ///
    /// # Errors
    ///
    /// What the engine or the journal fails with. The log says that it is over only once it is.
    pub async fn settle_warm(&mut self, run: &RunId, kept: bool, why: &str) -> Result<Option<RunView>> {
        let ended = match self.warmer.view(run).await {
            // The process died between the record and the run: there is nothing to take back.
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
            Ok(view) if view.ended().is_some() => Some(view),
            Ok(view) => Some(self.end_warm(&view, kept, why).await?),
        };
        if ended.as_ref().is_none_or(|view| view.ended().is_some()) {
            self.log.write(LogEntry::PrewarmOver { run: run.clone(), kept, why: why.to_owned() }).await?;
        }
        Ok(ended)
    }

    async fn end_warm(&self, view: &RunView, kept: bool, why: &str) -> Result<RunView> {
        let (run, who, why) = (view.run(), self.owner.to_string(), why.to_owned());
        let waits = view.state() == RunState::WaitingForApproval;
        let control = match kept {
            // What it waits for has come: the run ends as it was meant to.
            true if waits => {
                let (plan, findings) = (view.plan().digest().clone(), Some(view.findings_digest()));
                Control::Approve { plan, findings, who, why }
            }
            _ => Control::Cancel { who, why, compensate: !kept },
        };
        self.warmer.control(run, control).await?;
        match self.warmer.run(run).await {
            // Whatever works on it ends it.
            Err(error) if error.kind() == ErrorKind::Conflict => self.warmer.view(run).await,
            other => other,
        }
    }

    /// What stood before this run changed it, and before the run that warmed the standby for it did: what a failback restores.
    ///
    /// # Errors
    ///
    /// What the journal fails with.
    pub async fn before_images(&mut self, run: &RunView) -> Result<BeforeImages> {
        let warmed = self.log.read().await?.prewarmed.last().map(|(run, ..)| run.clone());
        let images = run.before_images();
        match warmed {
            Some(warmed) => match self.warmer.view(&warmed).await {
                Ok(view) if view.created() <= run.created() => Ok(images.preceded_by(&view.before_images())),
                Ok(_) => Ok(images),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(images),
                Err(error) => Err(error),
            },
            None => Ok(images),
        }
    }

    /// Decides until stopped, about whatever the watch says, and carries out what it decides.
    ///
    /// # Errors
    ///
    /// None that the next look may not mend: what fails is told, and tried again.
    pub async fn run(mut self, mut standings: watch::Receiver<Standings>, stop: CancellationToken) -> Result<()> {
        let (mut warming, mut warmed): (Option<BoxFuture<'static, Result<RunView>>>, Option<RunId>) = (None, None);
        let mut next_take_up = self.clock.monotonic();
        loop {
            if !self.dry && self.clock.monotonic() >= next_take_up {
                match self.take_up().await {
                    Ok(Some(view)) => self.told_of(&view),
                    Ok(None) => {}
                    Err(error) => self.say(format!("the run of an earlier decision could not be taken up: {error}")),
                }
                next_take_up = self.clock.monotonic() + AGAIN;
            }
            let seen = standings.borrow_and_update().clone();
            match self.consider(&seen).await {
                Ok(considered) => {
                    if considered.changed || self.dry {
                        self.say(considered.decision.sentence());
                    }
                    if let (Some(run), false) = (&considered.run, self.dry) {
                        self.keep_warm(&mut warming).await;
                        match self.carry_out(run, &considered.decision).await {
                            Ok(view) => self.told_of(&view),
                            Err(error) => self.say(format!("run {run} did not start: {error}")),
                        }
                    } else if !self.dry {
                        self.tend(&considered.prewarm, &mut warming, &mut warmed).await;
                    }
                }
                Err(error) => self.say(format!("nobody can decide: {error}")),
            }
            let sleep = self.clock.sleep(EVERY);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(()),
                ended = under_way(&mut warming) => {
                    warming = None;
                    match ended {
                        Ok(view) => self.told_of(&view),
                        Err(error) => self.say(format!("the standby could not be warmed: {error}")),
                    }
                }
                changed = standings.changed() => if changed.is_err() {
                    return Err(Error::new(ErrorKind::Unavailable, "nobody watches any more"));
                },
                () = sleep => {}
            }
        }
    }

    fn told_of(&self, view: &RunView) {
        self.say(format!("run {} ({}) is {}", view.run(), view.plan().goal().kind, view.state()));
    }

    /// Does what is to be done about warming the standby.
    async fn tend(
        &mut self,
        prewarm: &Prewarm,
        warming: &mut Option<BoxFuture<'static, Result<RunView>>>,
        warmed: &mut Option<RunId>,
    ) {
        let done = match prewarm {
            Prewarm::Start { goal, why } => match self.warm(goal, why).await {
                Ok(Some((run, work))) => {
                    self.say(format!("run {run} warms the standby: {why}"));
                    (*warming, *warmed) = (Some(work), Some(run));
                    Ok(())
                }
                Ok(None) => Ok(()),
                Err(error) => Err(error),
            },
            Prewarm::TakeBack { run, why } => {
                // Whoever works on it lets go first: a step is never taken back while it is made.
                self.finish(warming).await;
                self.say(format!("run {run}, which warmed the standby, is taken back: {why}"));
                self.settle_warm(run, false, why).await.map(|view| view.iter().for_each(|view| self.told_of(view)))
            }
            // An earlier process began it: its steps are made here.
            Prewarm::Wait { run } if warming.is_none() && warmed.as_ref() != Some(run) => {
                let (engine, run) = (self.warmer.clone(), run.clone());
                *warmed = Some(run.clone());
                *warming = Some(Box::pin(async move { engine.run(&run).await }));
                Ok(())
            }
            Prewarm::Wait { .. } | Prewarm::Nothing { .. } => Ok(()),
        };
        if let Err(error) = done {
            self.say(format!("the standby could not be warmed: {error}"));
        }
    }

    /// Keeps what is warm, since a failover begins: it finds done what was done.
    async fn keep_warm(&mut self, warming: &mut Option<BoxFuture<'static, Result<RunView>>>) {
        self.finish(warming).await;
        let open = match self.log.read().await {
            Ok(log) => log.prewarmed.iter().rev().find(|(_, _, over)| !over).map(|(run, ..)| run.clone()),
            Err(_) => None,
        };
        if let Some(run) = open
            && let Err(error) = self.settle_warm(&run, true, "the verdict has fallen, and the failover begins").await
        {
            self.say(format!("run {run}, which warmed the standby, could not be ended: {error}"));
        }
    }

    /// Lets a run that warms the standby come to its gate, for a while.
    async fn finish(&self, warming: &mut Option<BoxFuture<'static, Result<RunView>>>) {
        if let Some(work) = warming {
            let _ = crate::time::timeout(&*self.clock, PATIENCE, work).await;
            *warming = None;
        }
    }

    /// The decision to act that was taken last.
    #[must_use]
    pub fn last_act(&self) -> Option<&Act> {
        self.log.view().last_act()
    }
}

async fn under_way(warming: &mut Option<BoxFuture<'static, Result<RunView>>>) -> Result<RunView> {
    match warming {
        Some(work) => work.await,
        None => pending().await,
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}
