use std::{collections::BTreeSet, time::Duration};

use super::{Approval, Refusal, RunView};
use crate::{
    journal::{Decision, Signed},
    model::{SafetyRuleId, StepId},
    plan::{Gate, PlanStep},
};

impl RunView {
    /// The gates that were asked about.
    #[must_use]
    pub fn asked(&self) -> &BTreeSet<StepId> {
        &self.asked
    }

    /// The last answer to the gates, when there is one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        self.approvals.last()
    }

    /// Every answer to the gates: more than one where gates have different approvers.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Whether somebody approved the plan. A gate with approvers of its own may [wait](Self::is_open) still.
    #[must_use]
    pub fn approved(&self) -> bool {
        self.approvals.iter().any(|approval| approval.decision == Decision::Approve)
    }

    /// Whether somebody who may do so has opened a gate.
    #[must_use]
    pub fn is_open(&self, gate: &Gate) -> bool {
        let opens = |approval: &Approval| approval.decision == Decision::Approve && gate.may_approve(&approval.by.who);
        self.approvals.iter().any(opens)
    }

    /// Whether a gate that was asked about waits for an answer.
    #[must_use]
    pub fn waits_at_gate(&self) -> bool {
        let rejected = self.approvals.iter().any(|approval| approval.decision == Decision::Reject);
        !rejected && self.closed_gates().next().is_some()
    }

    /// The gates that were asked about and are closed still, with their steps.
    fn closed_gates(&self) -> impl Iterator<Item = (&PlanStep, &Gate)> {
        let closed = |step: &StepId| {
            let (step, view) = self.find(step.as_str())?;
            let gate = step.gate.as_ref()?;
            (!view.settled() && !self.is_open(gate)).then_some((step, gate))
        };
        self.asked.iter().filter_map(closed)
    }

    /// The first question to expire, and when, from the run's creation.
    pub(in crate::engine) fn next_due(&self) -> Option<(Duration, &StepId)> {
        if self.due.is_empty() {
            return None;
        }
        let due =
            |(step, _): (&PlanStep, &Gate)| self.due.get_key_value(step.id.as_str()).map(|(step, due)| (*due, step));
        self.closed_gates().filter_map(due).min()
    }

    /// When the question before a step expires, from the run's creation.
    #[must_use]
    pub fn due(&self, step: &str) -> Option<Duration> {
        self.due.get(step).copied()
    }

    /// Why a safety rule does not let a step begin, while one does not.
    #[must_use]
    pub fn refusal(&self, step: &str) -> Option<&Refusal> {
        self.refused.get(step)
    }

    /// The steps that safety rules do not let begin.
    pub fn refused(&self) -> impl Iterator<Item = (&StepId, &Refusal)> {
        self.refused.iter()
    }

    /// Who overrode a safety rule, and why, when somebody did.
    #[must_use]
    pub fn overridden(&self, rule: &SafetyRuleId) -> Option<&Signed> {
        self.overridden.get(rule)
    }
}
