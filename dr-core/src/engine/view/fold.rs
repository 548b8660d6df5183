use std::sync::Arc;

use super::{Approval, Cancel, Note, Refusal, RunView, Switch};
use crate::{
    engine::{Monitoring, StepView, group_view::GroupClock},
    journal::{Decision, Entry, HealthNews, Intent, Outcome, Record, Seq, Signed},
    model::{Epoch, StepId},
    time::Timestamp,
};

impl RunView {
    /// Takes one more record in, with what it holds: for those who read a whole run.
    pub(in crate::engine) fn fold(&mut self, record: Record) {
        let Record { seq, at, epoch, entry, .. } = record;
        match entry {
            Entry::StepIntent(intent) => {
                self.stamp(seq, at);
                self.begun(seq, at, intent);
            }
            Entry::StepOutcome { step, attempt, outcome } => {
                self.stamp(seq, at);
                self.attempt_ended(at, &step, attempt, outcome);
            }
            other => self.apply(seq, at, epoch, &other),
        }
    }

    fn begun(&mut self, seq: Seq, at: Timestamp, intent: Intent) {
        if let Some(place) = self.frontier.find(intent.step.as_str()) {
            self.change(place, |step| step.intent(seq.0, at, intent));
        }
    }

    fn attempt_ended(&mut self, at: Timestamp, step: &StepId, attempt: u32, outcome: Outcome) {
        let skipped = matches!(outcome, Outcome::Skipped { .. });
        self.with(step, |step| step.outcome(at, attempt, outcome));
        self.refused.remove(step);
        self.lift_failure_pause(skipped);
    }

    fn stamp(&mut self, seq: Seq, at: Timestamp) {
        self.seq = seq;
        self.last = self.last.max(at);
    }

    /// Takes one more record in. Words about steps that the plan does not have are passed over.
    pub fn apply(&mut self, seq: Seq, at: Timestamp, epoch: Epoch, entry: &Entry) {
        self.stamp(seq, at);
        match entry {
            Entry::EngineStarted { owner } => {
                self.taken_up += 1;
                self.owner = Some((owner.clone(), epoch));
                (0..self.steps.len()).for_each(|at| self.change(at, StepView::interrupted));
                self.monitoring.iter_mut().for_each(Monitoring::interrupted);
            }
            Entry::StepIntent(intent) => self.begun(seq, at, intent.clone()),
            Entry::CompensationIntent { step, attempt } => self.with(step, |step| step.compensation_intent(*attempt)),
            Entry::StepOutcome { step, attempt, outcome } => {
                self.attempt_ended(at, step, *attempt, outcome.clone());
            }
            Entry::ApprovalRequested { step, due, .. } => {
                self.asked.insert(step.clone());
                self.due.extend(due.map(|due| (step.clone(), due)));
            }
            Entry::ApprovalExpired { step } => {
                let by = Signed { who: String::new(), why: format!("nobody opened the gate before {step} in time") };
                self.cancel.get_or_insert(Cancel { by, compensate: true, expired: true });
                self.failure_told = false;
            }
            Entry::ApprovalDecided { plan, decision, who, why, .. } if plan == self.plan.digest() => {
                let by = Signed { who: who.clone(), why: why.clone() };
                if *decision == Decision::Reject {
                    self.cancel.get_or_insert(Cancel { by: by.clone(), compensate: true, expired: false });
                    self.failure_told = false;
                }
                self.approvals.push(Approval { decision: *decision, by });
            }
            Entry::Paused { step: Some(part), .. } => match self.clock(part) {
                Some(clock) => clock.late = true,
                None => self.failure_told = true,
            },
            Entry::Paused { reason, step: None, who } => {
                self.paused = Some(Signed { who: who.clone().unwrap_or_default(), why: reason.clone() });
            }
            Entry::Resumed { .. } => self.paused = None,
            Entry::RetryRequested { step, .. } => {
                // A step that a rule refused has made no attempt: the rule is asked again, and that is all.
                let refused = self.refused.remove(step).is_some();
                match self.clock(step) {
                    Some(clock) => (clock.late, clock.started) = (false, Some(at)),
                    None if refused => {}
                    None => self.with(step, StepView::retry),
                }
                self.lift_failure_pause(true);
            }
            Entry::ModeSwitched { step, who, why } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.switches.push(Switch { part: step.clone(), by });
                self.switch(step.as_ref());
                self.lift_failure_pause(true);
            }
            Entry::CancelRequested { who, why, compensate } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.cancel.get_or_insert(Cancel { by, compensate: *compensate, expired: false });
                self.failure_told = false;
            }
            Entry::RuleRefused { step, rule, why } => {
                self.refused.insert(step.clone(), Refusal { rule: rule.clone(), why: why.clone() });
            }
            Entry::RuleOverridden { rule, who, why } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.overridden.entry(rule.clone()).or_insert(by);
                self.refused.retain(|_, refusal| refusal.rule != *rule);
            }
            Entry::Health { news: HealthNews::Watched, elapsed, .. } => {
                self.monitoring.get_or_insert_with(|| Monitoring::new(*elapsed));
            }
            Entry::Health { news, elapsed, why } => {
                self.monitoring.iter_mut().for_each(|seen| seen.apply(news, *elapsed, why));
            }
            Entry::EffectsLeft { effects } => self.effects_left.clone_from(effects),
            Entry::Note { topic, value } => {
                self.notes.push(Note { at, topic: topic.clone(), value: value.clone() });
            }
            Entry::RequestAnswered { request, .. } => self.answered = self.answered.max(*request),
            Entry::RunEnded { end, summary } => self.ended = Some((*end, summary.clone())),
            // A skip is its outcome; a decision about another plan is none about this one; a run is created once.
            // And a run is no decision log.
            Entry::SkipRequested { .. }
            | Entry::ApprovalDecided { .. }
            | Entry::RunCreated { .. }
            | Entry::Decision(_) => {}
        }
    }

    /// Switches every step of a part of the plan that has a rule for ungraceful mode and has not ended.
    fn switch(&mut self, part: Option<&StepId>) {
        let plan = Arc::clone(&self.plan);
        for at in plan.places_of(part.map(StepId::as_str)) {
            if let Some(rule) = plan.steps().get(at).and_then(|step| step.ungraceful)
                && self.steps.get(at).is_some_and(|step| !step.settled())
            {
                self.change(at, |step| step.switch(rule));
            }
        }
    }

    /// The clock of a group, when the name is one's.
    fn clock(&mut self, name: &StepId) -> Option<&mut GroupClock> {
        let at = self.plan.groups().iter().position(|group| group.id == *name)?;
        self.groups.get_mut(at)
    }

    fn with(&mut self, step: &StepId, change: impl FnOnce(&mut StepView)) {
        if let Some(at) = self.frontier.find(step.as_str()) {
            self.change(at, change);
        }
    }

    /// The only way to change a step: the frontier follows.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut StepView)) {
        if let (Some(step), Some(view)) = (self.plan.steps().get(at), self.steps.get_mut(at)) {
            let (was_settled, had_begun) = (view.settled(), view.started.is_some());
            change(view);
            self.frontier.update(at, step, view);
            let (settled, started) = (view.settled(), view.started);
            if was_settled != settled || had_begun != started.is_some() {
                for group in self.plan.group_places_around(step.id.as_str()) {
                    if let Some(clock) = self.groups.get_mut(group) {
                        clock.member(was_settled, settled, started);
                    }
                }
            }
        }
    }

    fn lift_failure_pause(&mut self, decided: bool) {
        if decided && self.failed_for_good().next().is_none() {
            self.failure_told = false;
        }
    }
}
