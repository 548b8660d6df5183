use std::{sync::Arc, time::Duration};

use super::{RunState, RunView, backoff};
use crate::{
    event::{Event, EventKind, EventSink},
    journal::{Entry, HealthNews, Outcome},
    model::{RunId, StepId},
    step::ProgressSink,
    time::SharedClock,
};

/// Tells those who watch, after the journal knows.
#[derive(Clone, Debug)]
pub(super) struct Announcer {
    pub(super) run: RunId,
    pub(super) clock: SharedClock,
    pub(super) events: Arc<dyn EventSink>,
}

impl Announcer {
    pub(super) fn emit(&self, kind: EventKind) {
        let (at, monotonic) = (self.clock.wall(), self.clock.monotonic());
        self.events.emit(&Event { at, monotonic, run: Some(self.run.clone()), kind });
    }

    pub(super) fn tell(&self, kinds: Vec<EventKind>) {
        kinds.into_iter().for_each(|kind| self.emit(kind));
    }
}

/// Whether the run waits for a person's decision on what was done so far.
pub(super) fn waits(view: &RunView) -> bool {
    matches!(view.state(), RunState::PausedByFailure | RunState::PausedByOperator)
}

/// What records mean to those who watch, told from one record after the other: by the engine that writes them, and by
/// whoever reads them elsewhere, in the same words.
#[derive(Clone, Debug, Default)]
pub(super) struct Telling {
    /// Who decided something while the run waited, until the records of that decision are through.
    decided: Option<String>,
}

impl Telling {
    /// What an entry means, now that `view` has taken it in; `waited` is whether the run [waited](waits) before.
    pub(super) fn events(&mut self, view: &RunView, waited: bool, entry: &Entry, took: Duration) -> Vec<EventKind> {
        match (decider(entry), entry) {
            (Some(who), _) => self.decided = waited.then(|| who.to_owned()),
            // A decision to skip takes effect with the outcomes that follow it.
            (None, Entry::StepOutcome { outcome: Outcome::Skipped { .. }, .. }) => {}
            (None, _) => self.decided = None,
        }
        let mut kinds: Vec<EventKind> = event(view, entry, took).into_iter().collect();
        if self.decided.is_some() && !waits(view) {
            kinds.extend(self.decided.take().map(|who| EventKind::RunResumed { who }));
        }
        kinds
    }
}

impl ProgressSink for Announcer {
    fn progress(&self, step: &StepId, message: &str) {
        self.emit(EventKind::StepProgress { step: step.clone(), message: message.to_owned() });
    }
}

/// Who decided, when the entry is a decision that may end a pause.
pub(super) fn decider(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Resumed { who, .. }
        | Entry::RetryRequested { who, .. }
        | Entry::SkipRequested { who, .. }
        | Entry::ModeSwitched { who, .. }
        | Entry::RuleOverridden { who, .. }
        | Entry::CancelRequested { who, .. } => Some(who),
        _ => None,
    }
}

fn event(view: &RunView, entry: &Entry, took: Duration) -> Option<EventKind> {
    Some(match entry.clone() {
        Entry::EngineStarted { .. } => EventKind::RunStarted {
            plan: view.plan().digest().clone(),
            goal: view.plan().goal().to_string(),
            epoch: view.owner().map(|(_, epoch)| *epoch).unwrap_or_default(),
            steps: view.plan().steps().len(),
            resumed: view.taken_up() > 1,
        },
        Entry::StepIntent(intent) => {
            let (planned, _) = view.find(intent.step.as_str())?;
            EventKind::StepStarted {
                title: planned.title.clone(),
                phase: planned.phase,
                region: planned.region.clone(),
                step: intent.step,
                attempt: intent.attempt,
            }
        }
        Entry::CompensationIntent { step, .. } => {
            EventKind::StepProgress { step, message: "taking its effect back".to_owned() }
        }
        Entry::StepOutcome { step, attempt, outcome } => match outcome {
            Outcome::Done { already, .. } => EventKind::StepCompleted { step, took, already },
            Outcome::Failed { failure } => {
                let (planned, state) = view.find(step.as_str())?;
                let again = !backoff::exhausted(planned, state) && view.ended().is_none();
                let retry_in = again.then(|| backoff::pause(view.run(), planned, state));
                EventKind::StepFailed { step, attempt, failure, retry_in }
            }
            Outcome::Skipped { reason } => EventKind::StepSkipped { step, reason },
            Outcome::Compensated => EventKind::StepCompensated { step },
        },
        Entry::ModeSwitched { step, who, why } => EventKind::ModeSwitched { step, who, why },
        Entry::ApprovalRequested { step, question, .. } => EventKind::ApprovalRequested { step, question },
        Entry::ApprovalDecided { decision, who, .. } => EventKind::ApprovalDecided { decision, who },
        Entry::Paused { reason, .. } => EventKind::RunPaused { reason },
        Entry::RuleRefused { step, rule, why } => {
            EventKind::RunPaused { reason: format!("the safety rule {rule} refuses {step}: {why}") }
        }
        Entry::RuleOverridden { rule, who, why } => says(format!("{who} overrides the safety rule {rule}: {why}")),
        Entry::ApprovalExpired { step } => says(format!("nobody opened the gate before {step} in time")),
        Entry::Health { news, why, .. } => EventKind::Health { health: health(&news), why },
        Entry::CancelRequested { who, why, .. } => says(format!("{who} cancels the run: {why}")),
        Entry::RequestAnswered { request, refused: Some(why) } => {
            EventKind::Said { who: "engine".to_owned(), message: format!("request {request} is refused: {why}") }
        }
        Entry::RunEnded { end, summary } => EventKind::RunEnded { end, summary },
        // A retry shows as the attempt it leads to, a skip as its outcome, a resumption as the end of the pause.
        _ => return None,
    })
}

fn says(message: String) -> EventKind {
    EventKind::Said { who: "engine".to_owned(), message }
}

/// What is new of the application's health, in a word or two.
fn health(news: &HealthNews) -> String {
    match news {
        HealthNews::Watched => "watched",
        HealthNews::Green => "green",
        HealthNews::Red => "red",
        HealthNews::Unknown => "unknown",
        HealthNews::Stayed { .. } => "stayed green",
    }
    .to_owned()
}
