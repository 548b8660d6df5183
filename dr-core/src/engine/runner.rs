use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::FutureExt as _;
use tokio::{sync::mpsc, sync::oneshot, task::JoinSet};

use super::{
    ApprovalRequest, Command, Control, OnPause, RunState, RunView, StepState,
    announce::{Announcer, Telling, waits},
    answer::answer,
    attempt::{self, Before, Ended, Job},
    control::accept,
    deadline,
    decide::{decide, wants},
    engine::Core,
    lease_keeper::{self, LeaseTerm},
    listen::Listener,
    mail::{Mail, Mailbox},
};
use crate::{
    error::{Effect, Error, ErrorKind, Failure, Result},
    event::EventKind,
    journal::{Decision, Entry, Lease, Outcome, Seq},
    model::StepId,
    plan::{Plan, resolve},
    step::{CancellationToken, DynStep, ModeSwitch, StepCx},
    time::{Monotonic, Timestamp, timeout},
};

/// How often an approver is asked for its answer.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// One engine's work on one run: decides, writes down, lets attempts be made, and listens.
#[derive(Debug)]
pub(super) struct Runner {
    core: Arc<Core>,
    plan: Arc<Plan>,
    view: RunView,
    lease: Lease,
    term: LeaseTerm,
    announcer: Arc<Announcer>,
    telling: Telling,
    /// The wall when the run was taken up, never before its last record; wall time is read here and nowhere else.
    base: Timestamp,
    since: Monotonic,
    tasks: JoinSet<()>,
    live: BTreeMap<StepId, CancellationToken>,
    /// What the attempts under way see of their mode.
    modes: BTreeMap<StepId, ModeSwitch>,
    first_starts: BTreeMap<StepId, Monotonic>,
    /// How many gates the approver was asked about.
    asked: usize,
    inbox: mpsc::UnboundedReceiver<Mail>,
    mail: Mailbox,
}

impl Runner {
    pub(super) fn new(
        core: Arc<Core>,
        view: RunView,
        lease: Lease,
        acquired: Monotonic,
        mail: Mailbox,
        inbox: mpsc::UnboundedReceiver<Mail>,
    ) -> Self {
        let announcer =
            Announcer { run: view.run().clone(), clock: core.clock.clone(), events: Arc::clone(&core.events) };
        Self {
            plan: Arc::clone(view.plan()),
            term: LeaseTerm::new(acquired + core.ttl),
            base: core.clock.wall().max(view.last()),
            since: core.clock.monotonic(),
            core,
            view,
            lease,
            announcer: Arc::new(announcer),
            telling: Telling::default(),
            tasks: JoinSet::new(),
            live: BTreeMap::new(),
            modes: BTreeMap::new(),
            first_starts: BTreeMap::new(),
            asked: 0,
            inbox,
            mail,
        }
    }

    /// Works until the run ends, waits for a person nobody listens for, or is lost.
    pub(super) async fn work(mut self) -> RunView {
        match self.until_settled().await {
            Ok(()) => {
                // A lease that is not given back lapses by itself.
                let _ = self.core.journal.release(self.lease.clone()).await;
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
        let mut ends = None;
        let mut deadline = self.core.clock.sleep(self.plan.deadline()).fuse();
        loop {
            self.advance().await?;
            if self.view.ended().is_some() || self.nobody_can_help() {
                return Ok(());
            }
            let next = deadline::next(&self.view);
            if ends.replace(next) != Some(next) {
                deadline = self.core.clock.sleep(next.since(self.now())).fuse();
            }
            let mut mails = Vec::new();
            tokio::select! {
                mail = self.inbox.recv() => mails.extend(mail),
                () = &mut deadline => {}
            }
            while let Ok(mail) = self.inbox.try_recv() {
                mails.push(mail);
            }
            self.take(mails).await?;
            while self.tasks.try_join_next().is_some() {}
        }
    }

    /// The moment, for the deadline: measured, not read from the wall (guarantee 10).
    fn now(&self) -> Timestamp {
        self.base + self.core.clock.monotonic().since(self.since)
    }

    fn keep_lease(&mut self) {
        let (journal, lease) = (Arc::clone(&self.core.journal), self.lease.clone());
        let kept = lease_keeper::keep(journal, lease, self.term.clone(), self.core.ttl, self.core.clock.clone());
        let mail = self.mail.clone();
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

    /// Brings about what should be under way, until nothing is left to write down.
    async fn advance(&mut self) -> Result<()> {
        loop {
            let mut entries = Vec::new();
            for command in decide(&self.plan, &self.view, self.now()) {
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
                    Command::End { end, summary } => entries.push(Entry::RunEnded { end, summary }),
                }
            }
            if entries.is_empty() {
                break;
            }
            self.append(entries).await?;
        }
        self.ask_approver();
        Ok(())
    }

    fn question(&self, step: StepId) -> Entry {
        let gate = self.view.find(step.as_str()).and_then(|(planned, _)| planned.gate.as_ref());
        let question = gate.map(|gate| gate.question.clone()).unwrap_or_default();
        Entry::ApprovalRequested { step, question }
    }

    /// Everything an attempt needs; nothing when one is under way, or when the step is unknown here.
    fn job(&mut self, id: &StepId, attempt: u32, pause: Duration) -> Option<Job> {
        if self.live.contains_key(id.as_str()) {
            return None;
        }
        let (planned, state) = self.view.find(id.as_str())?;
        let timeout = planned.timeout;
        let step: Arc<dyn DynStep> = Arc::clone(self.core.steps.get(&planned.kind)?);
        let clock = self.core.clock.clone();
        let cancel = CancellationToken::new();
        let mode = ModeSwitch::new(self.view.ungraceful(id.as_str()));
        let cx = StepCx::new(self.view.run().clone(), id.clone(), self.lease.epoch, clock, timeout)
            .with_attempt(attempt)
            .with_cancel(cancel.clone())
            .with_mode(planned.ungraceful, mode.clone())
            .with_progress(Arc::clone(&self.announcer) as _);
        let params = resolve(&planned.params, &|id| self.view.step(id).and_then(|step| step.output()));
        // What an earlier attempt captured stays: a look now would see that attempt's own effect (guarantee 6).
        let before = if state.begun { Before::Known(state.before.clone()) } else { Before::Capture };
        let (term, mail) = (self.term.clone(), self.mail.clone());
        self.live.insert(id.clone(), cancel);
        self.modes.insert(id.clone(), mode);
        Some(Job { step, timeout, params, before, pause, cx, term, mail })
    }

    fn start(&mut self, step: StepId, attempt: u32, pause: Duration) {
        if let Some(job) = self.job(&step, attempt, pause) {
            self.spawn(step, attempt, attempt::attempt(job));
        }
    }

    fn compensate(&mut self, step: StepId, attempt: u32, pause: Duration) {
        let Some(state) = self.view.step(step.as_str()) else { return };
        let (output, params) = (state.output().cloned(), state.params.clone());
        if let Some(mut job) = self.job(&step, attempt, pause) {
            // Taken back with the parameters it was made with.
            job.params = params.map_or(job.params, Ok);
            self.spawn(step, attempt, attempt::compensate(job, output, attempt));
        }
    }

    fn spawn(&mut self, step: StepId, attempt: u32, work: impl Future<Output = Ended> + Send + 'static) {
        let mail = self.mail.clone();
        self.tasks.spawn(async move {
            let ended = AssertUnwindSafe(work).catch_unwind().await.unwrap_or_else(|_| {
                Ended::Failed(Error::new(ErrorKind::Internal, format!("{step}: the step's program panicked")))
            });
            mail.send(Mail::Ended { step, attempt, ended });
        });
    }

    /// Asks the approver when gates wait; again after each take-up, and when more gates are reached.
    fn ask_approver(&mut self) {
        let gates = self.view.asked().len();
        let Some(approver) = self.core.approver.clone() else { return };
        if gates <= self.asked || self.view.approval().is_some() || self.view.cancel().is_some() {
            return;
        }
        self.asked = gates;
        let (request, mail, clock) = (ApprovalRequest::of(&self.view), self.mail.clone(), self.core.clock.clone());
        let announcer = Arc::clone(&self.announcer);
        self.tasks.spawn(async move {
            let say = |error: Error| {
                let message = format!("the approver cannot be reached: {error}");
                announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
            };
            let mut put = false;
            loop {
                if !put {
                    put = approver.request(&request).await.map_err(say).is_ok();
                }
                if put
                    && let Some(answer) = approver.poll(&request).await.unwrap_or_else(|e| {
                        say(e);
                        None
                    })
                {
                    return mail.send(Mail::Answered(answer));
                }
                clock.sleep(ASK_EVERY).await;
            }
        });
    }

    /// Takes in what came: outcomes first, then what people want, then who wants to begin.
    async fn take(&mut self, mails: Vec<Mail>) -> Result<()> {
        let (mut outcomes, mut noted, mut controls, mut requests, mut begins) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for mail in mails {
            match mail {
                Mail::Ended { step, attempt, ended } => {
                    self.live.remove(&step);
                    self.modes.remove(&step);
                    outcomes.extend(outcome(step, attempt, ended)?);
                }
                Mail::Control { control, taken } => controls.push((control, Some(taken))),
                Mail::Answered(answer) => controls.push((self.answer(answer), None)),
                Mail::Asked(asked) => requests.extend(asked),
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
        for (control, taken) in controls {
            self.obey(&control, taken).await?;
        }
        for asked in requests {
            // What is asked and that it was answered are one append: a crash leaves both or neither.
            self.append(answer(&self.view, &asked)).await?;
        }
        self.begin(begins).await
    }

    fn answer(&self, answer: super::Answer) -> Control {
        let (plan, who, why) = (self.plan.digest().clone(), answer.who, answer.why);
        match answer.decision {
            Decision::Approve => Control::Approve { plan, who, why },
            Decision::Reject => Control::Reject { plan, who, why },
        }
    }

    async fn obey(&mut self, control: &Control, taken: Option<oneshot::Sender<Result<()>>>) -> Result<()> {
        let answer = match accept(&self.view, control) {
            Ok(entries) => {
                self.append(entries).await?;
                Ok(())
            }
            Err(error) => Err(error),
        };
        if let Some(taken) = taken {
            // Whoever asked may be gone; what was asked is journalled all the same.
            let _ = taken.send(answer);
        }
        Ok(())
    }

    /// Writes the intents of the attempts that are still wanted, all in one append, and lets them act (guarantee 1).
    async fn begin(&mut self, begins: Vec<(Entry, oneshot::Sender<bool>)>) -> Result<()> {
        if begins.is_empty() {
            return Ok(());
        }
        let now = self.now();
        let (mut intents, mut allowed) = (Vec::new(), Vec::new());
        for (intent, durable) in begins {
            let wanted = wants(&self.plan, &self.view, now, &intent);
            if wanted {
                intents.push(intent);
                allowed.push(durable);
            } else {
                let _ = durable.send(false);
            }
        }
        self.append(intents).await?;
        for durable in allowed {
            let _ = durable.send(true);
        }
        Ok(())
    }

    /// Writes entries, takes them in, and tells those who watch. One append, one sync.
    async fn append(&mut self, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        // A store that does not answer is given until the lease lapses: then somebody else may write.
        let left = self.term.until().since(self.core.clock.monotonic());
        let first = self.view.seq();
        let written = self.core.journal.append(&self.lease, first, entries.clone());
        let last = timeout(&*self.core.clock, left, written)
            .await
            .unwrap_or_else(|elapsed| Err(Error::new(ErrorKind::Storage, format!("the journal gave {elapsed}"))))?;
        let expected = first.0 + u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if last.0 != expected {
            let message = format!("the journal says that it ends at {last}, after {expected} records");
            return Err(Error::new(ErrorKind::Storage, message));
        }
        // As measured: a wall that is set anew while the run is worked on moves no deadline (guarantee 10).
        let at = self.now();
        for (seq, entry) in (first.0 + 1..).zip(&entries) {
            let waited = waits(&self.view);
            self.view.apply(Seq(seq), at, self.lease.epoch, entry);
            let took = self.took(entry);
            self.announcer.tell(self.telling.events(&self.view, waited, entry, took));
        }
        if entries.iter().any(|entry| matches!(entry, Entry::ModeSwitched { .. })) {
            // Attempts that are under way see it at once: some can be content with less, or insist.
            let switched = self.modes.iter().filter(|(step, _)| self.view.ungraceful(step.as_str()));
            switched.for_each(|(_, mode)| mode.throw());
        }
        Ok(())
    }

    /// How long the step of an outcome has taken since its first attempt began.
    fn took(&mut self, entry: &Entry) -> Duration {
        let now = self.core.clock.monotonic();
        match entry {
            Entry::StepIntent(intent) if intent.attempt == 1 => {
                self.first_starts.insert(intent.step.clone(), now);
                Duration::ZERO
            }
            Entry::StepOutcome { step, .. } => {
                match (self.first_starts.get(step.as_str()), self.view.step(step.as_str())) {
                    (Some(start), _) => now.since(*start),
                    // Another engine began it: only the wall knows when.
                    (None, Some(state)) => {
                        state.started.zip(state.ended).map_or(Duration::ZERO, |(start, end)| end.since(start))
                    }
                    (None, None) => Duration::ZERO,
                }
            }
            _ => Duration::ZERO,
        }
    }
}

/// The record of how an attempt ended.
///
/// # Errors
///
/// The attempt's own error when it says that the lease has passed on: then nothing may be written any more.
fn outcome(step: StepId, attempt: u32, ended: Ended) -> Result<Option<Entry>> {
    let outcome = match ended {
        Ended::Done { output, already } => Outcome::Done { output, already },
        Ended::Compensated => Outcome::Compensated,
        Ended::Failed(error) if error.kind() == ErrorKind::Fenced => return Err(error),
        Ended::Failed(error) => Outcome::Failed { failure: Failure::from(error) },
        Ended::Withdrawn => return Ok(None),
    };
    Ok(Some(Entry::StepOutcome { step, attempt, outcome }))
}

/// The error of a plan with steps that this program cannot make.
pub(super) fn check_steps(core: &Core, view: &RunView) -> Result<()> {
    let unknown: Vec<String> = view
        .steps()
        .filter(|(_, state)| !matches!(state.state, StepState::Skipped { .. } | StepState::Compensated))
        .filter(|(planned, _)| core.steps.get(&planned.kind).is_none_or(|step| step.version() != planned.version))
        .map(|(planned, _)| format!("{} ({} version {})", planned.id, planned.kind, planned.version))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let message = format!("this program does not know these steps: {}; run a program that does", unknown.join(", "));
    Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied))
}
