//! A run's report, from its journal alone: what was journalled is what is told, also after a crash.

use std::collections::BTreeMap;

use super::{Moment, MomentKind, Offset, RunReport, StepOutcome, StepReport};
use crate::{
    engine::RunView,
    journal::{Decision, Entry, HealthNews, Outcome, Record},
    model::{RunId, StepId},
    plan::{Phase, PlanStep},
    time::{Monotonic, Timestamp},
};

impl RunReport {
    /// Reads the report of `run` out of its records, with `fault` as T+0.
    ///
    /// None when the first record does not create the run. Parameters, outputs and before-images are left in the
    /// journal: a report is for everybody.
    #[must_use]
    pub fn from_journal(run: &RunId, records: &[Record], fault: Timestamp) -> Option<Self> {
        let (first, rest) = records.split_first()?;
        let Entry::RunCreated { plan, findings, waivers, unattended, .. } = &first.entry else { return None };
        let started = offset(fault, first.at);
        let mut report = Self {
            run: run.clone(),
            goal: plan.goal().clone(),
            plan: plan.digest().clone(),
            started,
            ended: started,
            end: None,
            engines: 0,
            steps: plan.steps().iter().map(not_begun).collect(),
            findings: findings.clone(),
            waivers: waivers.clone(),
            moments: Vec::new(),
            recovery: None,
            rpo: None,
            effects_left: Vec::new(),
        };
        if let Some(signed) = unattended {
            let what = format!("{} let irreversible steps run without an approval", signed.who);
            report.tell(started, MomentKind::Note, because(what, &signed.why));
        }
        let place: BTreeMap<StepId, usize> =
            report.steps.iter().enumerate().map(|(place, step)| (step.id.clone(), place)).collect();
        let mut view = RunView::new(run.clone(), first.seq, first.at, &first.entry).ok()?;
        for record in rest {
            view.apply(record.seq, record.at, record.epoch, &record.entry);
            let at = offset(fault, record.at);
            report.ended = at;
            report.take(&place, at, &record.entry);
        }
        report.recovery = view.recovery_time();
        let promotes = view.steps().any(|(step, _)| step.phase == Phase::Promote);
        report.rpo = promotes.then(|| view.rpo());
        Some(report)
    }

    fn take(&mut self, place: &BTreeMap<StepId, usize>, at: Offset, entry: &Entry) {
        match entry {
            Entry::EngineStarted { owner } => {
                self.engines += 1;
                if self.engines > 1 {
                    self.tell(at, MomentKind::Note, format!("another process, {owner}, took the run up"));
                }
            }
            Entry::StepIntent(intent) => {
                if let Some(step) = place.get(&intent.step).and_then(|place| self.steps.get_mut(*place)) {
                    step.started.get_or_insert(at);
                    step.attempts = step.attempts.max(intent.attempt);
                    step.outcome = StepOutcome::Running;
                }
            }
            Entry::StepOutcome { step, outcome, .. } => {
                if let Some(step) = place.get(step).and_then(|place| self.steps.get_mut(*place)) {
                    step.end(at, outcome);
                }
            }
            Entry::ApprovalRequested { question, .. } => {
                self.tell(at, MomentKind::ApprovalAsked, format!("the run asked: {question}"));
            }
            Entry::ApprovalDecided { decision, who, why, .. } => {
                let verb = match decision {
                    Decision::Approve => "approved",
                    Decision::Reject => "rejected",
                };
                self.tell(at, MomentKind::Decided, because(format!("{who} {verb} it"), why));
            }
            Entry::Paused { reason, .. } => self.tell(at, MomentKind::Note, format!("the run paused: {reason}")),
            Entry::Resumed { who, why } => self.tell(at, MomentKind::Note, because(format!("{who} let it go on"), why)),
            Entry::RetryRequested { step, who, why } => {
                self.tell(at, MomentKind::Note, because(format!("{who} asked for another attempt of {step}"), why));
            }
            Entry::SkipRequested { step, who, why } => {
                self.tell(at, MomentKind::Note, because(format!("{who} asked to go on without {step}"), why));
            }
            Entry::ModeSwitched { step, who, why } => {
                let what = step.as_ref().map_or("the run", |step| step.as_str());
                self.tell(at, MomentKind::Decided, because(format!("{who} switched {what} to ungraceful"), why));
            }
            Entry::CancelRequested { who, why, compensate } => {
                let extent = if *compensate { ", and what was done was to be taken back" } else { "" };
                self.tell(at, MomentKind::Note, because(format!("{who} cancelled the run{extent}"), why));
            }
            Entry::CompensationIntent { step, attempt: 1 } => {
                self.tell(at, MomentKind::Note, format!("the run began to take {step} back"));
            }
            Entry::ApprovalExpired { step } => {
                self.tell(at, MomentKind::Decided, format!("nobody opened the gate before {step} in time"));
            }
            Entry::RuleRefused { step, rule, why } => {
                self.tell(at, MomentKind::Note, format!("the safety rule {rule} refused {step}: {why}"));
            }
            Entry::RuleOverridden { rule, who, why } => {
                self.tell(at, MomentKind::Decided, because(format!("{who} overrode the safety rule {rule}"), why));
            }
            Entry::Health { news, why, .. } => {
                let what = match news {
                    HealthNews::Watched => "the last step had ended, and health was watched from here on",
                    HealthNews::Green => "health turned green",
                    HealthNews::Red => "health was red",
                    HealthNews::Unknown => "health was unknown",
                    HealthNews::Stayed { .. } => "health had stayed green for as long as was asked",
                };
                self.tell(at, MomentKind::Note, because(what.to_owned(), why));
            }
            Entry::EffectsLeft { effects } => self.effects_left.clone_from(effects),
            Entry::RunEnded { end, .. } => self.end = Some(*end),
            Entry::RequestAnswered { refused: Some(why), .. } => {
                self.tell(at, MomentKind::Note, format!("a request from another process was refused: {why}"));
            }
            // What was granted tells itself by what it led to.
            Entry::RunCreated { .. }
            | Entry::CompensationIntent { .. }
            | Entry::RequestAnswered { .. }
            | Entry::Decision(_)
            | Entry::Note { .. } => {}
        }
    }

    fn tell(&mut self, at: Offset, kind: MomentKind, what: String) {
        self.moments.push(Moment { at, kind, region: None, what });
    }
}

impl StepReport {
    fn end(&mut self, at: Offset, outcome: &Outcome) {
        self.ended = Some(at);
        (self.outcome, self.why) = match outcome {
            Outcome::Done { already: true, .. } => (StepOutcome::Already, None),
            Outcome::Done { already: false, .. } => (StepOutcome::Done, None),
            Outcome::Failed { failure } => (StepOutcome::Failed, Some(failure.to_string())),
            Outcome::Skipped { reason } => (StepOutcome::Skipped, Some(reason.clone())),
            Outcome::Compensated => (StepOutcome::Compensated, None),
        };
    }
}

fn not_begun(step: &PlanStep) -> StepReport {
    StepReport {
        id: step.id.clone(),
        title: step.title.clone(),
        phase: step.phase,
        region: step.region.clone(),
        reversibility: step.reversibility,
        after: step.after.clone(),
        started: None,
        ended: None,
        outcome: StepOutcome::Pending,
        attempts: 0,
        why: None,
    }
}

fn because(what: String, why: &str) -> String {
    if why.is_empty() { what } else { format!("{what}: {why}") }
}

fn offset(fault: Timestamp, at: Timestamp) -> Offset {
    let since_epoch = |timestamp: Timestamp| Monotonic::new(timestamp.since(Timestamp::UNIX_EPOCH));
    Offset::between(since_epoch(fault), since_epoch(at))
}
