use std::sync::Arc;

use futures::future::BoxFuture;
use tokio::sync::{mpsc, watch};

use super::{
    Act, Choice, Decision, DecisionLog, Facts, KeepWarm, KillSwitch, LogEntry, Now, Plans, Policy, Prewarm, Told,
    decide, ledger::Ledger, prewarm,
};
use crate::{
    detect::Standings,
    engine::{Engine, OnPause, RunView, new_run_id},
    error::{Effect, Error, ErrorKind, Result},
    event::{Event, EventKind, EventSink},
    journal::Signed,
    model::{OwnerId, RegionId, RunId},
    planner::BeforeImages,
    step::{Step as _, StepRegistry, erase},
    time::SharedClock,
};

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
    pub(super) policy: Policy,
    /// What it goes by, beyond what it reads itself. An embedder tells its signals and lags here, or through a
    /// [channel](Self::told_by).
    pub facts: Facts,
    pub(super) engine: Engine,
    /// The same without an approver: the gate of a run that warms the standby is opened by the verdict and by nobody else.
    pub(super) warmer: Engine,
    pub(super) plans: Arc<dyn Plans>,
    pub(super) log: DecisionLog,
    pub(super) ledger: Ledger,
    pub(super) clock: SharedClock,
    events: Arc<dyn EventSink>,
    pub(super) owner: OwnerId,
    writer: watch::Sender<RegionId>,
    told: Option<mpsc::Receiver<Told>>,
    pub(super) dry: bool,
}

/// What came of a decision to act.
#[derive(Debug)]
pub(super) enum Came {
    /// No run: none could be planned or created.
    NotStarted(Error),
    /// The run, as far as this process worked on it.
    Run(Result<Box<RunView>>),
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
            .lease(engine.lease())
            // A run that a process began which died is taken up once its lease has lapsed.
            .patience(engine.lease())
            .on_pause(OnPause::Return)
            .build();
        let facts = Facts::new(policy.home.clone());
        let (writer, _) = watch::channel(policy.home.clone());
        let ledger = Ledger::default();
        Ok(Self {
            policy,
            facts,
            engine,
            warmer,
            plans,
            log,
            ledger,
            clock,
            events,
            owner,
            writer,
            told: None,
            dry: false,
        })
    }

    /// The same, told by others what it does not see itself: replication lag, and signals. Each is taken in before the next
    /// decision.
    #[must_use]
    pub fn told_by(mut self, told: mpsc::Receiver<Told>) -> Self {
        self.told = Some(told);
        self
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

    pub(super) fn now(&self) -> Now {
        Now { monotonic: self.clock.monotonic(), wall: self.clock.wall() }
    }

    pub(super) fn say(&self, message: String) {
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
        self.look(standings).await?;
        self.settle_on().await
    }

    /// Takes in what is seen, what others tell, and what has happened.
    pub(super) async fn look(&mut self, standings: &Standings) -> Result<()> {
        self.facts.standings.clone_from(standings);
        self.facts.stopped_by_file = self.policy.kill_switch.clone().and_then(|file| KillSwitch(file).look());
        self.ledger.read(&self.engine, &self.policy).await?;
        self.log.read().await?;
        let writer = self.ledger.writer(&self.policy).clone();
        self.writer.send_if_modified(|known| std::mem::replace(known, writer.clone()) != writer);
        self.facts.lead_to(writer);
        while let Some(told) = self.told.as_mut().and_then(|told| told.try_recv().ok()) {
            self.facts.hear(told);
        }
        self.facts.hear_opinions();
        Ok(())
    }

    /// Decides by what was taken in last.
    pub(super) async fn settle_on(&mut self) -> Result<Considered> {
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
        match self.beginning(run, decision).await {
            Came::Run(view) => view.map(|view| *view),
            Came::NotStarted(error) => {
                self.not_started(run, &error).await?;
                Err(error)
            }
        }
    }

    /// That no run came of a decision to act.
    pub(super) async fn not_started(&mut self, run: &RunId, error: &Error) -> Result<()> {
        // Another decider may have created it, by another plan, after this one had looked.
        if self.engine.view(run).await.is_ok() {
            return Ok(());
        }
        self.log.write(LogEntry::NotStarted { run: run.clone(), why: error.to_string() }).await
    }

    /// Plans, creates the run, and works on it. Nothing of it needs the decider, which goes on looking meanwhile.
    pub(super) fn beginning(&self, run: &RunId, decision: &Decision) -> BoxFuture<'static, Came> {
        let (plans, engine) = (Arc::clone(&self.plans), self.engine.clone());
        let (run, decision, application) = (run.clone(), decision.clone(), self.policy.application.clone());
        Box::pin(async move {
            let created = async {
                let Choice::Act { goal, by } = &decision.choice else {
                    return Err(invalid("that is no decision to act".to_owned()));
                };
                let mut new = plans.run_for(run.clone(), goal).await?;
                // No step without a way back is made in nobody's name: it is the policy's, or that of whoever said yes.
                if new.plan().point_of_no_return().iter().any(|step| step.gate.is_none()) {
                    let policy =
                        || Signed { who: format!("the decision policy of {application}"), why: decision.sentence() };
                    let by = by.clone().unwrap_or_else(policy);
                    new = new.unattended(by.who, by.why);
                }
                engine.create(new).await
            };
            match created.await {
                Ok(()) => Came::Run(engine.run(&run).await.map(Box::new)),
                Err(error) => Came::NotStarted(error),
            }
        })
    }

    /// What stood before this run changed it, and before the run that warmed the standby for it did: what a failback restores.
    ///
    /// # Errors
    ///
    /// What the journal fails with.
    pub async fn before_images(&mut self, run: &RunView) -> Result<BeforeImages> {
        self.log.before_images(run).await
    }

    /// The decision to act that was taken last.
    #[must_use]
    pub fn last_act(&self) -> Option<&Act> {
        self.log.view().last_act()
    }
}

pub(super) fn invalid(message: String) -> Error {
    Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
}
