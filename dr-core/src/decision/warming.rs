use std::{fmt, future::pending};

use futures::future::BoxFuture;

use super::{Decider, KeepWarm, LogEntry, Prewarm, decider::invalid};
use crate::{
    engine::{Control, NewRun, RunState, RunView, new_run_id},
    error::{ErrorKind, Result},
    model::RunId,
    plan::Goal,
    step::Step as _,
    time::timeout,
};

/// How long a step that warms the standby may go on after the verdict, before the failover takes it over.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(15);

/// What this process does to warm the standby, between [`Decider::tend`] and the verdict. Nothing of it keeps the decider
/// from looking: whoever has one waits for its [next](Self::next) news beside everything else.
#[derive(Default)]
pub struct Warming {
    stage: Stage,
    /// The run that this process has worked on.
    run: Option<RunId>,
}

#[derive(Default)]
enum Stage {
    #[default]
    Idle,
    /// Nothing has happened yet.
    Planning {
        goal: Goal,
        why: String,
        plan: BoxFuture<'static, Result<NewRun>>,
    },
    Working(BoxFuture<'static, Result<RunView>>),
}

impl fmt::Debug for Warming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = match self.stage {
            Stage::Idle => "idle",
            Stage::Planning { .. } => "planning",
            Stage::Working(_) => "working",
        };
        f.debug_struct("Warming").field("stage", &stage).field("run", &self.run).finish()
    }
}

/// How something that warms the standby ended: what [`Decider::go_on`] goes on from.
#[derive(Debug)]
pub struct WarmNews(News);

#[derive(Debug)]
enum News {
    Planned { goal: Goal, why: String, plan: Result<Box<NewRun>> },
    Worked(Result<Box<RunView>>),
}

impl Warming {
    /// The next news; never while nothing is under way. Whoever stops waiting for it loses none.
    pub async fn next(&mut self) -> WarmNews {
        let news = match &mut self.stage {
            Stage::Idle => pending().await,
            Stage::Planning { goal, why, plan } => {
                let plan = plan.await.map(Box::new);
                News::Planned { goal: goal.clone(), why: why.clone(), plan }
            }
            Stage::Working(work) => News::Worked(work.await.map(Box::new)),
        };
        self.stage = Stage::Idle;
        WarmNews(news)
    }

    /// Whether anything is under way.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        !matches!(self.stage, Stage::Idle)
    }
}

impl Decider {
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
        if self.policy.prewarm.is_none() {
            return Ok(None);
        }
        let whole = self.plans.run_for(new_run_id(&self.clock), goal).await?;
        self.warm_by(&whole, goal, why).await
    }

    /// The same, by a plan that was made for it.
    async fn warm_by(
        &mut self,
        whole: &NewRun,
        goal: &Goal,
        why: &str,
    ) -> Result<Option<(RunId, BoxFuture<'static, Result<RunView>>)>> {
        let Some(limits) = self.policy.prewarm else { return Ok(None) };
        let run = whole.run().clone();
        let plan = whole.plan().prewarming(KeepWarm::KIND, limits.keep).map_err(|e| invalid(e.to_string()))?;
        let entry = LogEntry::Prewarming { run: run.clone(), goal: goal.clone(), why: why.to_owned() };
        // Two deciders that suspect the same warm it once.
        if !self.log.write_if(|log| log.prewarmed.iter().all(|(_, _, over)| *over).then_some(entry)).await? {
            return Ok(None);
        }
        let created = match plan {
            Some(plan) => self.warmer.create(NewRun::new(run.clone(), plan)).await.map(|()| true),
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

    /// Does what is to be done about warming the standby, as [`consider`](Self::consider) found it. What takes time goes on in
    /// `warming`; that something failed is told.
    pub async fn tend(&mut self, prewarm: &Prewarm, warming: &mut Warming) {
        let done = match prewarm {
            Prewarm::Start { goal, why } if !warming.is_under_way() => {
                let (plans, run, wanted) = (self.plans.clone(), new_run_id(&self.clock), goal.clone());
                let plan = Box::pin(async move { plans.run_for(run, &wanted).await });
                warming.stage = Stage::Planning { goal: goal.clone(), why: why.clone(), plan };
                Ok(())
            }
            // The suspicion has gone before anything was done about it.
            Prewarm::Nothing { .. } if matches!(warming.stage, Stage::Planning { .. }) => {
                warming.stage = Stage::Idle;
                Ok(())
            }
            Prewarm::TakeBack { run, why } => {
                // Whoever works on it lets go first: a step is never taken back while it is made.
                self.finish(warming).await;
                self.say(format!("run {run}, which warmed the standby, is taken back: {why}"));
                self.settle_warm(run, false, why).await.map(|view| view.iter().for_each(|view| self.told_of(view)))
            }
            // An earlier process began it: its steps are made here.
            Prewarm::Wait { run } if !warming.is_under_way() && warming.run.as_ref() != Some(run) => {
                let (engine, taken_up) = (self.warmer.clone(), run.clone());
                warming.run = Some(run.clone());
                warming.stage = Stage::Working(Box::pin(async move { engine.run(&taken_up).await }));
                Ok(())
            }
            Prewarm::Start { .. } | Prewarm::Wait { .. } | Prewarm::Nothing { .. } => Ok(()),
        };
        if let Err(error) = done {
            self.say(format!("the standby could not be warmed: {error}"));
        }
    }

    /// Goes on from what a [`Warming`] has told.
    pub async fn go_on(&mut self, news: WarmNews, warming: &mut Warming) {
        let failed = match news.0 {
            News::Planned { plan: Err(error), .. } => Some(error),
            News::Planned { goal, why, plan: Ok(plan) } => match self.warm_by(&plan, &goal, &why).await {
                Ok(Some((run, work))) => {
                    self.say(format!("run {run} warms the standby: {why}"));
                    (warming.stage, warming.run) = (Stage::Working(work), Some(run));
                    None
                }
                Ok(None) => None,
                Err(error) => Some(error),
            },
            News::Worked(Ok(view)) => {
                self.told_of(&view);
                None
            }
            News::Worked(Err(error)) => Some(error),
        };
        if let Some(error) = failed {
            self.say(format!("the standby could not be warmed: {error}"));
        }
    }

    /// Keeps what is warm, since a failover begins: it finds done what was done. Gives the run that warmed it.
    pub async fn keep_warm(&mut self, warming: &mut Warming) -> Option<RunId> {
        self.finish(warming).await;
        let open = match self.log.read().await {
            Ok(log) => log.prewarmed.iter().rev().find(|(_, _, over)| !over).map(|(run, ..)| run.clone()),
            Err(_) => None,
        }?;
        if let Err(error) = self.settle_warm(&open, true, "the verdict has fallen, and the failover begins").await {
            self.say(format!("run {open}, which warmed the standby, could not be ended: {error}"));
        }
        Some(open)
    }

    /// Lets a run that warms the standby come to its gate, for a while. What was only planned is forgotten.
    async fn finish(&self, warming: &mut Warming) {
        if let Stage::Working(work) = &mut warming.stage {
            let _ = timeout(&*self.clock, PATIENCE, work).await;
        }
        warming.stage = Stage::Idle;
    }

    pub(super) fn told_of(&self, view: &RunView) {
        self.say(format!("run {} ({}) is {}", view.run(), view.plan().goal().kind, view.state()));
    }
}
