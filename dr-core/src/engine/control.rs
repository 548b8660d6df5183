use serde::{Deserialize, Serialize};

use super::{GroupView, RunView, StepState, StepView, backoff, switch::switch};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Decision, Entry, Outcome, Signed},
    model::{SafetyRuleId, StepId},
    plan::{Gate, PlanDigest, PlanStep},
    validation::FindingsDigest,
};

/// What somebody wants of a run: plain data, with who and why, so that it can be journalled, sent and repeated.
///
/// A control that has had its effect already is no error and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "kebab-case")]
pub enum Control {
    /// Open every gate of the plan that this person may open.
    Approve {
        /// The plan that was looked at.
        plan: PlanDigest,
        /// The findings that were seen; none when the run has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        findings: Option<FindingsDigest>,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Refuse the plan's gates: what was done is taken back, and the run ends.
    Reject {
        /// The plan that was looked at.
        plan: PlanDigest,
        /// The findings that were seen; none when the run has none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        findings: Option<FindingsDigest>,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Begin nothing new; what is under way ends.
    Pause {
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// End such a pause.
    Resume {
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Try a failed step again, with as many attempts as its plan allows; or every failed step of a group, and give a group
    /// that is late its time anew.
    Retry {
        /// The step or group.
        step: StepId,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Go on without a step that has not begun or has failed; or leave as it is what could not be taken back. Of a group:
    /// all such steps in it; those that are under way end.
    Skip {
        /// The step or group.
        step: StepId,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// From here on the plan's rules for ungraceful mode hold; there is no way back. A failed step that has such a rule is
    /// tried again by it, or passed over.
    Ungraceful {
        /// The step or group; absent for the whole run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Overrule a safety rule, for the rest of the run.
    Override {
        /// The rule.
        rule: SafetyRuleId,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// End the run.
    Cancel {
        /// Who decides.
        who: String,
        /// Why.
        why: String,
        /// Whether to take back what was done; past the point of no return nothing is.
        compensate: bool,
    },
}

pub(super) fn refuse<T>(message: String) -> Result<T> {
    Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied))
}

/// The records by which a control takes effect; none when it has had its effect already. Pure.
///
/// # Errors
///
/// [`PreconditionFailed`](ErrorKind::PreconditionFailed) when the run is in no state for it, with what to do instead;
/// [`NotFound`](ErrorKind::NotFound) for a step that the plan does not have.
pub fn accept(view: &RunView, control: &Control) -> Result<Vec<Entry>> {
    if let Some((_, summary)) = view.ended() {
        return refuse(format!("run {} has ended: {summary}", view.run()));
    }
    match control.clone() {
        Control::Approve { plan, findings, who, why } => {
            decided(view, plan, findings, Decision::Approve, Signed { who, why })
        }
        Control::Reject { plan, findings, who, why } => {
            decided(view, plan, findings, Decision::Reject, Signed { who, why })
        }
        Control::Pause { who, why } if view.paused().is_none() => {
            Ok(vec![Entry::Paused { reason: why, step: None, who: Some(who) }])
        }
        Control::Resume { who, why } if view.paused().is_some() => Ok(vec![Entry::Resumed { who, why }]),
        Control::Resume { .. } => {
            match (view.failed_for_good().next(), view.late_groups().next(), view.refused().next()) {
                (Some((step, _)), ..) => {
                    refuse(format!("{} has failed: retry it, skip it, or cancel the run", step.id))
                }
                (None, Some(group), _) => refuse(format!("{} is late: retry it, skip it, or cancel the run", group.id)),
                (None, None, Some((step, refusal))) if view.cancel().is_none() => refuse(format!(
                    "the safety rule {} refuses {step}: override the rule, retry the step, skip it, or cancel the run",
                    refusal.rule
                )),
                _ => Ok(Vec::new()),
            }
        }
        Control::Retry { step, who, why } => match view.group(step.as_str()) {
            Some(group) => retry_group(view, &group, step, who, why),
            None => retry(view, step, who, why),
        },
        Control::Skip { step, who, why } => match view.group(step.as_str()) {
            Some(_) => skip_group(view, step, who, why),
            None => skip(view, step, who, why),
        },
        Control::Ungraceful { step, who, why } => switch(view, step, who, why),
        Control::Override { rule, who, why } => overrule(view, rule, who, why),
        Control::Cancel { who, why, compensate } if view.cancel().is_none() => {
            Ok(vec![Entry::CancelRequested { who, why, compensate }])
        }
        Control::Pause { .. } | Control::Cancel { .. } => Ok(Vec::new()),
    }
}

fn decided(
    view: &RunView,
    plan: PlanDigest,
    findings: Option<FindingsDigest>,
    decision: Decision,
    by: Signed,
) -> Result<Vec<Entry>> {
    if plan != *view.plan().digest() {
        let (named, runs) = (plan.short(), view.plan().digest().short());
        return refuse(format!("the decision is about plan {named}, but run {} runs plan {runs}", view.run()));
    }
    let seen = view.findings_digest();
    match &findings {
        Some(findings) if *findings == seen => {}
        Some(other) => {
            let (other, seen) = (other.short(), seen.short());
            return refuse(format!("the decision saw other findings ({other}) than the run has ({seen}): look again"));
        }
        None if view.findings().is_empty() => {}
        None => {
            let count = view.findings().len();
            return refuse(format!("the decision names no findings, but the run has {count}: say which were seen"));
        }
    }
    let Signed { who, why } = by;
    let gates: Vec<&Gate> = view.plan().steps().iter().filter_map(|step| step.gate.as_ref()).collect();
    if !gates.is_empty() && !gates.iter().any(|gate| gate.may_approve(&who)) {
        let mut may: Vec<&str> = gates.iter().flat_map(|gate| &gate.approvers).map(String::as_str).collect();
        may.sort_unstable();
        may.dedup();
        return refuse(format!("{who} may not decide on this plan: {} may", may.join(", ")));
    }
    // Gates with different approvers need several decisions; of each person the first one counts.
    let opens_more = || gates.iter().any(|gate| gate.may_approve(&who) && !view.is_open(gate));
    match view.approval() {
        Some(earlier) if earlier.decision != decision => {
            refuse(format!("{} has decided otherwise already: cancel the run instead", earlier.by.who))
        }
        Some(_) if decision == Decision::Reject || !opens_more() => Ok(Vec::new()),
        _ => Ok(vec![Entry::ApprovalDecided { plan, findings, decision, who, why }]),
    }
}

fn overrule(view: &RunView, rule: SafetyRuleId, who: String, why: String) -> Result<Vec<Entry>> {
    if !view.plan().safety_rules().iter().any(|known| known.id == rule) {
        let message = format!("the plan of run {} has no safety rule {rule}", view.run());
        return Err(Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied));
    }
    match view.overridden(&rule) {
        Some(_) => Ok(Vec::new()),
        None => Ok(vec![Entry::RuleOverridden { rule, who, why }]),
    }
}

fn find<'a>(view: &'a RunView, step: &StepId) -> Result<(&'a PlanStep, &'a StepView)> {
    view.find(step.as_str()).ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("the plan of run {} has no step {step}", view.run()))
            .with_effect(Effect::NotApplied)
    })
}

fn retry(view: &RunView, step: StepId, who: String, why: String) -> Result<Vec<Entry>> {
    let (planned, state) = find(view, &step)?;
    if let Some(group) =
        view.late_groups().find(|group| view.plan().groups_around(step.as_str()).any(|g| g.id == group.id))
    {
        return refuse(format!("the time of {} is up: retry {0}, which gives it its time anew", group.id));
    }
    if view.refusal(step.as_str()).is_some() && view.cancel().is_none() {
        return Ok(vec![Entry::RetryRequested { step, who, why }]);
    }
    match &state.state {
        StepState::Failed { .. } if view.cancel().is_some() => {
            refuse(format!("run {} is being cancelled: no step is made any more", view.run()))
        }
        StepState::Failed { .. } | StepState::CompensationFailed { .. } if backoff::exhausted(planned, state) => {
            Ok(vec![Entry::RetryRequested { step, who, why }])
        }
        StepState::Failed { .. }
        | StepState::CompensationFailed { .. }
        | StepState::Pending
        | StepState::Running
        | StepState::Interrupted
        | StepState::Compensating
        | StepState::CompensationInterrupted => Ok(Vec::new()),
        other => refuse(format!("{step} is {}: only a failed step is tried again", other.as_str())),
    }
}

fn retry_group(view: &RunView, group: &GroupView, id: StepId, who: String, why: String) -> Result<Vec<Entry>> {
    if view.cancel().is_some() {
        return refuse(format!("run {} is being cancelled: no step is made any more", view.run()));
    }
    let failed = view
        .members(id.as_str())
        .filter(|(step, state)| matches!(state.state, StepState::Failed { .. }) && backoff::exhausted(step, state))
        .map(|(step, _)| step.id.clone());
    let again: Vec<StepId> = group.late.then(|| id.clone()).into_iter().chain(failed).collect();
    if again.is_empty() && group.done + group.skipped == group.steps {
        return refuse(format!("{id} is {}: only what failed or is late is tried again", group.state));
    }
    let request = |step| Entry::RetryRequested { step, who: who.clone(), why: why.clone() };
    Ok(again.into_iter().map(request).collect())
}

/// Every member that could be skipped by itself is.
fn skip_group(view: &RunView, group: StepId, who: String, why: String) -> Result<Vec<Entry>> {
    let open = view.cancel().is_none();
    let passed: Vec<Entry> = view
        .members(group.as_str())
        .filter(|(_, state)| match state.state {
            StepState::CompensationFailed { .. } => true,
            StepState::Pending | StepState::Failed { .. } | StepState::Interrupted => open,
            _ => false,
        })
        .map(|(step, state)| {
            let outcome = Outcome::Skipped { reason: format!("{who}: {why}") };
            Entry::StepOutcome { step: step.id.clone(), attempt: state.attempts, outcome }
        })
        .collect();
    let skipped = view.members(group.as_str()).any(|(_, state)| matches!(state.state, StepState::Skipped { .. }));
    match (passed.is_empty(), skipped) {
        (true, true) => Ok(Vec::new()),
        (true, false) => refuse(format!("no step of {group} can be skipped: each is done or under way")),
        (false, _) => Ok(std::iter::once(Entry::SkipRequested { step: group, who, why }).chain(passed).collect()),
    }
}

fn skip(view: &RunView, step: StepId, who: String, why: String) -> Result<Vec<Entry>> {
    let (_, state) = find(view, &step)?;
    let (attempt, reason) = (state.attempts, format!("{who}: {why}"));
    let records = |step: StepId| {
        let outcome = Outcome::Skipped { reason };
        vec![Entry::SkipRequested { step: step.clone(), who, why }, Entry::StepOutcome { step, attempt, outcome }]
    };
    match &state.state {
        StepState::CompensationFailed { .. } => Ok(records(step)),
        StepState::Pending | StepState::Failed { .. } | StepState::Interrupted if view.cancel().is_none() => {
            Ok(records(step))
        }
        StepState::Skipped { .. } | StepState::LeftStanding { .. } => Ok(Vec::new()),
        other => {
            refuse(format!("{step} is {}: only a step that has not begun or has failed is skipped", other.as_str()))
        }
    }
}
