//! Whoever is on call: what they want in the middle of it all, and how they bring a run to its end.

use std::collections::BTreeMap;

use super::scenario::{Closing, Wish};
use crate::{
    engine::{Control, RunState, RunView, StepState},
    model::StepId,
    plan::PlanDigest,
};

/// The control for a wish; none when it names a step by a name that no step can have.
pub(crate) fn control(wish: &Wish, plan: &PlanDigest) -> Option<Control> {
    let (who, why) = ("operator".to_owned(), "as simulated".to_owned());
    let plan = plan.clone();
    Some(match wish {
        Wish::Pause => Control::Pause { who, why },
        Wish::Resume => Control::Resume { who, why },
        Wish::Retry(step) => Control::Retry { step: StepId::new(step.as_str()).ok()?, who, why },
        Wish::Skip(step) => Control::Skip { step: StepId::new(step.as_str()).ok()?, who, why },
        Wish::Cancel { compensate } => Control::Cancel { who, why, compensate: *compensate },
        Wish::Approve => Control::Approve { plan, findings: None, who, why },
        Wish::Reject => Control::Reject { plan, findings: None, who, why },
        Wish::Ungraceful(step) => {
            let step = step.as_deref().map(StepId::new).transpose().ok()?;
            Control::Ungraceful { step, who, why }
        }
        Wish::ThroughInbox(wish) => return control(wish, &plan),
    })
}

/// Brings a run to its end once nothing goes wrong any more.
#[derive(Debug)]
pub(crate) struct OnCall {
    closing: Closing,
    retried: BTreeMap<String, u32>,
}

impl OnCall {
    pub(crate) fn new(closing: Closing) -> Self {
        Self { closing, retried: BTreeMap::new() }
    }

    /// What the run needs somebody for, if anything.
    pub(crate) fn decides(&mut self, view: &RunView) -> Option<Wish> {
        match view.state() {
            RunState::PausedByOperator => Some(Wish::Resume),
            RunState::WaitingForApproval => Some(Wish::Approve),
            RunState::PausedByFailure => {
                let (step, state) = view.failed_for_good().next()?;
                let id = step.id.to_string();
                let retried = self.retried.entry(id.clone()).or_default();
                *retried += 1;
                Some(match self.closing {
                    _ if *retried <= 2 => Wish::Retry(id),
                    Closing::Cancel if !matches!(state.state, StepState::CompensationFailed { .. }) => {
                        Wish::Cancel { compensate: true }
                    }
                    _ => Wish::Skip(id),
                })
            }
            _ => None,
        }
    }
}
