use serde::{Deserialize, Serialize};

use super::{RunView, StepState, StepView, backoff};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Decision, Entry, Outcome},
    model::StepId,
    plan::{PlanDigest, PlanStep},
};

/// What somebody wants of a run: plain data, with who and why, so that it can be journalled, sent and repeated.
///
/// A control that has had its effect already is no error and changes nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "control", rename_all = "kebab-case")]
pub enum Control {
    /// Open every gate of the plan.
    Approve {
        /// The plan that was looked at.
        plan: PlanDigest,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Refuse the plan's gates: what was done is taken back, and the run ends.
    Reject {
        /// The plan that was looked at.
        plan: PlanDigest,
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
    /// Try a failed step again, with as many attempts as its plan allows.
    Retry {
        /// The step.
        step: StepId,
        /// Who decides.
        who: String,
        /// Why.
        why: String,
    },
    /// Go on without a step that has not begun or has failed; or leave as it is what could not be taken back.
    Skip {
        /// The step.
        step: StepId,
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

fn refuse<T>(message: String) -> Result<T> {
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
        Control::Approve { plan, who, why } => decided(view, plan, Decision::Approve, who, why),
        Control::Reject { plan, who, why } => decided(view, plan, Decision::Reject, who, why),
        Control::Pause { who, why } if view.paused().is_none() => {
            Ok(vec![Entry::Paused { reason: why, step: None, who: Some(who) }])
        }
        Control::Resume { who, why } if view.paused().is_some() => Ok(vec![Entry::Resumed { who, why }]),
        Control::Resume { .. } => match view.failed_for_good().next() {
            Some((step, _)) => refuse(format!("{} has failed: retry it, skip it, or cancel the run", step.id)),
            None => Ok(Vec::new()),
        },
        Control::Retry { step, who, why } => retry(view, step, who, why),
        Control::Skip { step, who, why } => skip(view, step, who, why),
        Control::Cancel { who, why, compensate } if view.cancel().is_none() => {
            Ok(vec![Entry::CancelRequested { who, why, compensate }])
        }
        Control::Pause { .. } | Control::Cancel { .. } => Ok(Vec::new()),
    }
}

fn decided(view: &RunView, plan: PlanDigest, decision: Decision, who: String, why: String) -> Result<Vec<Entry>> {
    if plan != *view.plan().digest() {
        let (named, runs) = (plan.short(), view.plan().digest().short());
        return refuse(format!("the decision is about plan {named}, but run {} runs plan {runs}", view.run()));
    }
    match view.approval() {
        Some(earlier) if earlier.decision == decision => Ok(Vec::new()),
        Some(earlier) => refuse(format!("{} has decided otherwise already: cancel the run instead", earlier.by.who)),
        None => Ok(vec![Entry::ApprovalDecided { plan, decision, who, why }]),
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
