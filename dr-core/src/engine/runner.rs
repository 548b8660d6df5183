use std::{collections::BTreeMap, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures::{
    FutureExt as _, TryStreamExt as _,
    future::{BoxFuture, Fuse},
};
use tokio::{sync::mpsc, sync::oneshot, task::JoinSet};

use super::{
    Answer, ApplicationHealth, ApprovalRequest, Command, Control, HealthReading, OnPause, RunState, RunView, StepState,
    announce::{Announcer, Telling, waits},
    answer::answer,
    attempt::{self, Before, Ended, Guard, Job},
    control::accept,
    deadline,
    decide::{decide, wants},
    engine::Core,
    lease_keeper::{Moment, Tenure},
    listen::Listener,
    mail::{Mail, Mailbox},
    safety,
};
use crate::{
    error::{Effect, Error, ErrorKind, Failure, Result},
    event::EventKind,
    journal::{Entry, HealthNews, Lease, Outcome, Seq},
    model::StepId,
    plan::{Plan, resolve},
    step::{CancellationToken, DynStep, ModeSwitch, StepCx},
    time::{Monotonic, Timestamp, timeout},
};

/// How often an approver is asked for its answer.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often health is looked at, and how long a look may take.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const LOOK_FOR: Duration = Duration::from_secs(10);
/// The pause before an append is tried again, and the longest one.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_MOST: Duration = Duration::from_secs(2);

/// One engine's work on one run: decides, writes down, lets attempts be made, and listens.
#[derive(Debug)]
pub(super) struct Runner {
    core: Arc<Core>,
    plan: Arc<Plan>,
    view: RunView,
    tenure: Tenure,
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
    /// Whether somebody looks at the application's health.
    watching: bool,
    /// Whether the approver's answer was refused.
    ask_again: bool,
    inbox: mpsc::UnboundedReceiver<Mail>,
    mail: Mailbox,
}

impl Runner {
    pub(super) fn new(
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
    pub(super) async fn work(mut self) -> RunView {
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
    fn now(&self) -> Timestamp {
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
    fn decided(&self) -> Vec<Command> {
        let commands = decide(&self.plan, &self.view, self.now());
        #[cfg(feature = "sim")]
        if let Some(meddle) = &self.core.meddle {
            return meddle.with(&self.plan, &self.view, commands);
        }
        commands
    }

    /// Whether the attempt that an intent announces is one of them.
    fn wanted(&self, now: Timestamp, intent: &Entry) -> bool {
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

    fn question(&self, step: StepId) -> Entry {
        let gate = self.view.find(step.as_str()).and_then(|(planned, _)| planned.gate.as_ref());
        let question = gate.map(|gate| gate.question.clone()).unwrap_or_default();
        let due = gate.and_then(|gate| gate.expires).map(|expires| self.elapsed() + expires);
        Entry::ApprovalRequested { step, question, due }
    }

    /// How long ago the run was created, measured.
    fn elapsed(&self) -> Duration {
        self.now().since(self.view.created())
    }

    /// Looks at the application's health about once a second, from the last step on.
    fn watch_health(&mut self) {
        if self.watching || self.view.state() != RunState::MonitoringHealth {
            return;
        }
        let Some(source) = self.core.health.clone() else { return };
        self.watching = true;
        let (plan, mail, clock) = (Arc::clone(&self.plan), self.mail.clone(), self.core.clock.clone());
        self.tasks.spawn(async move {
            loop {
                let look = AssertUnwindSafe(source.look(&plan)).catch_unwind();
                let reading = match timeout(&*clock, LOOK_FOR, look).await {
                    Ok(Ok(Ok(reading))) => reading,
                    Ok(Ok(Err(error))) => unknown(error.to_string()),
                    Ok(Err(_)) => unknown("the health source panicked".to_owned()),
                    Err(elapsed) => unknown(elapsed.to_string()),
                };
                mail.send(Mail::Health(reading));
                clock.sleep(LOOK_EVERY).await;
            }
        });
    }

    /// The record of a look at the application's health, when it says something new.
    fn health(&self, reading: HealthReading) -> Option<Entry> {
        let (goal, elapsed) = (self.plan.recovery()?, self.elapsed());
        let news = self.view.monitoring()?.news(goal, &reading, elapsed)?;
        Some(Entry::Health { news, elapsed, why: reading.why })
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
        let cx = StepCx::new(self.view.run().clone(), id.clone(), self.tenure.lease.epoch, clock, timeout)
            .with_attempt(attempt)
            .with_cancel(cancel.clone())
            .with_mode(planned.ungraceful, mode.clone())
            .with_progress(Arc::clone(&self.announcer) as _);
        let params = resolve(&planned.params, &|id| self.view.step(id).and_then(|step| step.output()));
        // What an earlier attempt captured stays: a look now would see that attempt's own effect (guarantee 6).
        let before = if state.begun { Before::Known(state.before.clone()) } else { Before::Capture };
        let rules = safety::assertions(&self.view, planned);
        let (plan, traffic) = (Arc::clone(&self.plan), self.core.traffic.clone());
        let guard = (!rules.is_empty()).then_some(Guard { plan, rules, traffic });
        let (tenure, mail) = (self.tenure.clone(), self.mail.clone());
        self.live.insert(id.clone(), cancel);
        self.modes.insert(id.clone(), mode);
        Some(Job { step, timeout, params, before, pause, cx, tenure, mail, guard })
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
        if gates <= self.asked || !self.view.waits_at_gate() || self.view.cancel().is_some() {
            return;
        }
        // Somebody who may not decide has answered: the next one is not asked at once, for it may be the same.
        let pause = if std::mem::take(&mut self.ask_again) { ASK_EVERY } else { Duration::ZERO };
        self.asked = gates;
        let (request, mail, clock) = (ApprovalRequest::of(&self.view), self.mail.clone(), self.core.clock.clone());
        let announcer = Arc::clone(&self.announcer);
        self.tasks.spawn(async move {
            let say = |error: Error| {
                let message = format!("the approver cannot be reached: {error}");
                announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
            };
            let mut put = false;
            if !pause.is_zero() {
                clock.sleep(pause).await;
            }
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
        let (mut answers, mut readings) = (Vec::new(), Vec::new());
        for mail in mails {
            match mail {
                Mail::Ended { step, attempt, ended } => {
                    self.live.remove(&step);
                    self.modes.remove(&step);
                    outcomes.extend(outcome(step, attempt, ended)?);
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

    /// Takes the approver's answer for what it is: a control of somebody who saw what was asked.
    async fn answered(&mut self, answer: Answer) -> Result<()> {
        match accept(&self.view, &ApprovalRequest::of(&self.view).decide(answer)) {
            Ok(entries) => self.append(entries).await,
            Err(error) => {
                let message = format!("the approver's answer is refused: {error}");
                self.announcer.emit(EventKind::Said { who: "engine".to_owned(), message });
                (self.asked, self.ask_again) = (0, true);
                Ok(())
            }
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
            if self.wanted(now, &intent) {
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
        let first = self.view.seq();
        let last = self.write(first, &entries).await?;
        let expected = first.0 + u64::try_from(entries.len()).unwrap_or(u64::MAX);
        if last.0 != expected {
            let message = format!("the journal says that it ends at {last}, after {expected} records");
            return Err(Error::new(ErrorKind::Storage, message));
        }
        // As measured: a wall that is set anew while the run is worked on moves no deadline (guarantee 10).
        let at = self.now();
        for (seq, entry) in (first.0 + 1..).zip(&entries) {
            let waited = waits(&self.view);
            self.view.apply(Seq(seq), at, self.tenure.lease.epoch, entry);
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

    /// Writes entries into the journal. A store that fails is tried again for a third of the lease's length, so that a
    /// hiccup of it costs no run; one that does not answer at all is given until the lease lapses, as somebody else may
    /// write then (guarantee 9).
    async fn write(&self, first: Seq, entries: &[Entry]) -> Result<Seq> {
        let clock = &self.core.clock;
        let give_up = clock.monotonic() + self.core.ttl / 3;
        let mut pause = AGAIN;
        let mut in_doubt = false;
        loop {
            let appended = self.core.journal.append(&self.tenure.lease, first, entries.to_vec());
            let error = match timeout(&**clock, self.tenure.left(), appended).await {
                Ok(Ok(last)) => return Ok(last),
                Ok(Err(error)) => error,
                Err(elapsed) => Error::new(ErrorKind::Storage, format!("the journal gave {elapsed}")),
            };
            let passes = matches!(
                error.kind(),
                ErrorKind::Storage | ErrorKind::Timeout | ErrorKind::Unavailable | ErrorKind::Throttled
            );
            // A write whose reply was lost may be what the next one collides with.
            if !(passes || in_doubt && error.kind() == ErrorKind::Conflict) {
                return Err(error);
            }
            in_doubt |= error.effect() != Effect::NotApplied;
            if clock.monotonic() + pause > give_up {
                return Err(error);
            }
            clock.sleep(pause).await;
            pause = (pause * 2).min(AGAIN_MOST);
            if in_doubt {
                match self.written(first, entries).await {
                    Ok(Some(last)) => return Ok(last),
                    // Not there, and a conflict all the same: somebody else writes.
                    Ok(None) if error.kind() == ErrorKind::Conflict => return Err(error),
                    Ok(None) => {}
                    Err(read) if read.kind() == ErrorKind::Conflict => return Err(read),
                    Err(_) if error.kind() == ErrorKind::Conflict => return Err(error),
                    // The journal cannot be read either: the append will say.
                    Err(_) => {}
                }
            }
        }
    }

    /// Where the journal ends, when these entries of ours are what it ends with.
    async fn written(&self, first: Seq, entries: &[Entry]) -> Result<Option<Seq>> {
        let lease = &self.tenure.lease;
        let read = self.core.journal.read(&lease.run, first).try_collect::<Vec<_>>();
        let records = timeout(&*self.core.clock, self.tenure.left(), read)
            .await
            .unwrap_or_else(|elapsed| Err(Error::new(ErrorKind::Storage, format!("the journal gave {elapsed}"))))?;
        let Some(last) = records.last() else { return Ok(None) };
        let ours = records.len() == entries.len()
            && records.iter().zip(entries).all(|(record, entry)| record.epoch == lease.epoch && record.entry == *entry);
        if ours {
            return Ok(Some(last.seq));
        }
        Err(Error::new(ErrorKind::Conflict, format!("somebody else wrote into run {}", lease.run)))
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

fn unknown(why: String) -> HealthReading {
    HealthReading { health: ApplicationHealth::Unknown, why }
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

/// The error of a plan that this program cannot carry out: with steps that it does not know, or a recovery goal that it
/// cannot watch.
pub(super) fn check_steps(core: &Core, view: &RunView) -> Result<()> {
    if view.plan().recovery().is_some() && core.health.is_none() {
        let message = "the plan has a recovery goal, and this program was given no health source to watch it with";
        return Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied));
    }
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
