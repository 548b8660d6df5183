use super::RunView;
use crate::{
    engine::{RunState, StepView},
    plan::PlanStep,
};

impl RunView {
    /// The steps whose last attempt failed and that are not tried again unless somebody asks.
    pub fn failed_for_good(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        // Once somebody has ended the run, only what cannot be taken back needs a decision.
        self.frontier.failed(self.cancel.is_some()).filter_map(|at| self.at(at))
    }

    /// How far the run is.
    #[must_use]
    pub fn state(&self) -> RunState {
        if let Some((end, _)) = self.ended {
            return end.into();
        }
        if self.held.is_some() {
            return RunState::Held;
        }
        let refused = !self.refused.is_empty() || self.late_groups().next().is_some();
        if self.failed_for_good().next().is_some() || self.cancel.is_none() && refused {
            return RunState::PausedByFailure;
        }
        if self.monitoring.is_some() && self.cancel.is_none() {
            return RunState::MonitoringHealth;
        }
        if self.paused.is_some() {
            return RunState::PausedByOperator;
        }
        if self.cancel.is_some() {
            return RunState::Cancelling;
        }
        match (self.under_way(), self.waits_at_gate(), self.taken_up) {
            (false, true, _) => RunState::WaitingForApproval,
            (false, _, 0) => RunState::Pending,
            _ => RunState::Running,
        }
    }
}
