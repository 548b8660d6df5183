use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures::{
    FutureExt as _,
    future::{BoxFuture, Fuse},
};
use tokio::{sync::mpsc, task::JoinSet};

use super::attempts::outcome;
use crate::{
    engine::{
        Command, OnPause, RunState, RunView, StepState,
        announce::{Announcer, Telling},
        answer::answer,
        deadline,
        decide::{decide, wants},
        engine::Core,
        lease_keeper::{Moment, Tenure},
        listen::Listener,
        mail::{Mail, Mailbox},
    },
    error::Result,
    event::EventKind,
    journal::{Entry, HealthNews, Lease, Outcome},
    model::StepId,
    plan::Plan,
    step::{CancellationToken, ModeSwitch},
    time::{Monotonic, Timestamp},
};

/// One engine's work on one run: decides, writes down, lets attempts be made, and listens.
#[derive(Debug)]
pub(in crate::engine) struct Runner {
    pub(super) core: Arc<Core>,
    pub(super) plan: Arc<Plan>,
    pub(super) view: RunView,
    pub(super) tenure: Tenure,
    pub(super) announcer: Arc<Announcer>,
    pub(super) telling: Telling,
    /// The wall when the run was taken up, never before its last record; wall time is read here and nowhere else.
    pub(super) base: Timestamp,
    pub(super) since: Monotonic,
    pub(super) tasks: JoinSet<()>,
    pub(super) live: BTreeMap<StepId, CancellationToken>,
    /// What the attempts under way see of their mode.
    pub(super) modes: BTreeMap<StepId, ModeSwitch>,
    pub(super) first_starts: BTreeMap<StepId, Monotonic>,
    /// How many gates the approver was asked about.
    pub(super) asked: usize,
    /// Whether somebody looks at the application's health.
    pub(super) watching: bool,
    /// Whether the approver's answer was refused.
    pub(super) ask_again: bool,
    pub(super) inbox: mpsc::UnboundedReceiver<Mail>,
    pub(super) mail: Mailbox,
}

impl Runner {
    pub(in crate::engine) fn new(
        core: Arc<Core>,
        view: RunView,
        lease: Lease,
        asked: Moment,
        mail: Mailbox,
        inbox: mpsc::UnboundedReceiver<Mail>,
    ) -> Self {
        let announcer =
            Announcer { run: view.run().clone(), clock: core.clock.clone(), events: Arc::clone(&core.events) };
        Self {
            plan: Arc::clone(view.plan()),
            tenure: Tenure::new(lease, asked, Arc::clone(&core.journal), core.ttl, core.clock.clone()),
            base: core.clock.wall().max(view.last()),
            since: core.clock.monotonic(),
            core,
            view,
            announcer: Arc::new(announcer),
            telling: Telling::default(),
            tasks: JoinSet::new(),
            live: BTreeMap::new(),
            modes: BTreeMap::new(),
            first_starts: BTreeMap::new(),
            asked: 0,
            watching: false,
            ask_again: false,
            inbox,
            mail,
        }
    }

    /// Works until the run ends, waits for a person nobody listens for, or is lost.
    pub(in crate::engine) async fn work(mut self) -> RunView {
        match self.until_settled().await {
            Ok(()) => {
                // A lease that is not given back lapses by itself.
                let _ = self.core.journal.release(self.tenure.lease.clone()).await;
                self.view
            }
            Err(error) => {
                // Whoever holds the run now must not meet effects of ours (guarantees 3 and 9).
                self.live.values().for_each(CancellationToken::cancel);
                self.tasks.abort_all();
                let reason = error.to_string();
                self.announcer.emit(EventKind::RunHeld { reason: reason.clone() });
                self.view.hold(reason)
            }
        }
    }

    async fn until_settled(&mut self) -> Result<()> {
        self.append(vec![Entry::EngineStarted { owner: self.core.owner.clone() }]).await?;
        self.keep_lease();
        self.listen().await?;
        let mut next = self.next_moment();
        let mut alarm = self.alarm(next);
        loop {
            self.advance().await?;
            if self.view.ended().is_some() || self.nobody_can_help() {
                return Ok(());
            }
            if next != self.next_moment() {
                next = self.next_moment();
                alarm = self.alarm(next);
            }
            let mut mails = Vec::new();
            tokio::select! {
                biased;
                mail = self.inbox.recv() => mails.extend(mail),
                () = &mut alarm => {}
            }
            while let Ok(mail) = self.inbox.try_recv() {
                mails.push(mail);
            }
            self.take(mails).await?;
            while self.tasks.try_join_next().is_some() {}
        }
    }

    /// Rings once, at that moment.
    fn alarm(&self, at: Timestamp) -> Fuse<BoxFuture<'static, ()>> {
        self.core.clock.sleep(at.since(self.now())).fuse()
    }

    /// The moment, for the deadline: measured, not read from the wall (guarantee 10).
    pub(super) fn now(&self) -> Timestamp {
        self.base + self.core.clock.monotonic().since(self.since)
    }

    fn keep_lease(&mut self) {
        let (kept, mail) = (self.tenure.clone().keep(), self.mail.clone());
        self.tasks.spawn(async move { mail.send(Mail::LeaseLost(kept.await)) });
    }

    /// Answers what was asked while nobody held the run, before anything else is done; and listens from here on.
    async fn listen(&mut self) -> Result<()> {
        let mut listener = Listener {
            journal: Arc::clone(&self.core.journal),
            run: self.view.run().clone(),
            clock: self.core.clock.clone(),
            every: self.core.listen_every,
            announcer: Arc::clone(&self.announcer),
            heard: self.view.answered(),
            deaf: false,
        };
        for asked in listener.look().await {
            self.append(answer(&self.view, &asked)).await?;
        }
        self.tasks.spawn(listener.listen(self.mail.clone()));
        Ok(())
    }

    /// Whether the run waits for a person and the engine was told not to.
    fn nobody_can_help(&self) -> bool {
        let waits = match self.view.state() {
            RunState::PausedByFailure | RunState::PausedByOperator => true,
            RunState::WaitingForApproval => self.core.approver.is_none(),
            _ => false,
        };
        waits && self.live.is_empty() && self.core.on_pause == OnPause::Return
    }

    /// What should be under way.
    pub(super) fn decided(&self) -> Vec<Command> {
        let commands = decide(&self.plan, &self.view, self.now());
        #[cfg(feature = "sim")]
        if let Some(meddle) = &self.core.meddle {
            return meddle.with(&self.plan, &self.view, commands);
        }
        commands
    }

    /// Whether the attempt that an intent announces is one of them.
    pub(super) fn wanted(&self, now: Timestamp, intent: &Entry) -> bool {
        #[cfg(feature = "sim")]
        if let Some(meddle) = &self.core.meddle {
            return meddle.wanted(&self.decided(), intent);
        }
        wants(&self.plan, &self.view, now, intent)
    }

    /// Brings about what should be under way, until nothing is left to write down.
    async fn advance(&mut self) -> Result<()> {
        loop {
            let mut entries = Vec::new();
            for command in self.decided() {
                match command {
                    Command::Start { step, attempt, pause } => self.start(step, attempt, pause),
                    Command::Compensate { step, attempt, pause } => self.compensate(step, attempt, pause),
                    Command::Skip { step, attempt, reason } => {
                        entries.push(Entry::StepOutcome { step, attempt, outcome: Outcome::Skipped { reason } });
                    }
                    Command::StopRunning => self.live.values().for_each(CancellationToken::cancel),
                    Command::AskApproval { steps } => entries.extend(steps.into_iter().map(|step| self.question(step))),
                    Command::Pause { step, reason } => {
                        entries.push(Entry::Paused { reason, step: Some(step), who: None });
                    }
                    Command::Refuse { step, rule, why } => entries.push(Entry::RuleRefused { step, rule, why }),
                    Command::Expire { step } => entries.push(Entry::ApprovalExpired { step }),
                    Command::Watch => {
                        let (news, elapsed) = (HealthNews::Watched, self.elapsed());
                        entries.push(Entry::Health { news, elapsed, why: String::new() });
                    }
                    Command::End { end, summary, effects } => {
                        if !effects.is_empty() {
                            entries.push(Entry::EffectsLeft { effects });
                        }
                        entries.push(Entry::RunEnded { end, summary });
                    }
                }
            }
            if entries.is_empty() {
                break;
            }
            self.append(entries).await?;
        }
        self.ask_approver();
        self.watch_health();
        Ok(())
    }

    /// How long ago the run was created, measured.
    pub(super) fn elapsed(&self) -> Duration {
        self.now().since(self.view.created())
    }

    /// When something is to be decided although nothing happens.
    fn next_moment(&self) -> Timestamp {
        let created = self.view.created();
        // Once the last step is done, the plan's deadline is met.
        if let Some((goal, seen)) = self.plan.recovery().zip(self.view.monitoring()) {
            return created + seen.until(goal);
        }
        let ends = deadline::next(&self.view);
        self.view.next_due().map_or(ends, |(due, _)| ends.min(created + due))
    }

    /// Whether somebody has decided to go on without the step, or to leave it as it is.
    fn given_up(&self, step: &StepId) -> bool {
        let state = self.view.step(step.as_str()).map(|step| &step.state);
        matches!(state, Some(StepState::Skipped { .. } | StepState::LeftStanding { .. }))
    }

    /// Takes in what came: outcomes first, then what people want, then who wants to begin.
    async fn take(&mut self, mails: Vec<Mail>) -> Result<()> {
        let (mut outcomes, mut noted, mut controls, mut requests, mut begins) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let (mut answers, mut readings) = (Vec::new(), Vec::new());
        for mail in mails {
            match mail {
                Mail::Ended { step, attempt, ended } => {
                    self.live.remove(&step);
                    self.modes.remove(&step);
                    let given_up = self.given_up(&step);
                    // An attempt that had not begun when somebody decided to go on without the step has nothing to say.
                    outcomes.extend(outcome(step, attempt, ended)?.filter(|_| !given_up));
                }
                Mail::Control { control, taken } => controls.push((control, Some(taken))),
                Mail::Answered(answer) => answers.push(answer),
                Mail::Asked(asked) => requests.extend(asked),
                Mail::Refused { step, rule, why } => outcomes.push(Entry::RuleRefused { step, rule, why }),
                Mail::Health(reading) => readings.push(reading),
                Mail::Note { topic, value, taken } => {
                    outcomes.push(Entry::Note { topic, value });
                    noted.push(taken);
                }
                Mail::Begin { intent, durable } => begins.push((intent, durable)),
                Mail::LeaseLost(error) => return Err(error),
            }
        }
        self.append(outcomes).await?;
        for taken in noted {
            let _ = taken.send(Ok(()));
        }
        for reading in readings {
            let news = self.health(reading).into_iter().collect();
            self.append(news).await?;
        }
        for (control, taken) in controls {
            self.obey(&control, taken).await?;
        }
        for asked in requests {
            // What is asked and that it was answered are one append: a crash leaves both or neither.
            self.append(answer(&self.view, &asked)).await?;
        }
        for given in answers {
            self.answered(given).await?;
        }
        self.begin(begins).await
    }
}
