use std::fmt;

use serde::{Deserialize, Serialize};

use super::{RunView, StepState, StepView, backoff};
use crate::{
    plan::{Group, PlanStep},
    time::Timestamp,
};

/// How far a group is: what its members' states come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// No member has begun.
    Pending,
    /// A member has begun, and not all have ended.
    Running,
    /// A member failed for good, or the group's time is up: the run waits for a decision.
    Failed,
    /// Every member is done.
    Done,
    /// Every member has ended, some without being made.
    DoneWithExceptions,
    /// Every member was passed over.
    Skipped,
    /// What members did is being taken back, or was.
    TakenBack,
}

impl GroupState {
    /// The name, as people read it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Failed => "failed",
            Self::Done => "done",
            Self::DoneWithExceptions => "done with exceptions",
            Self::Skipped => "skipped",
            Self::TakenBack => "taken back",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// What the journal says of a group, by its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupView {
    /// How far it is.
    pub state: GroupState,
    /// Steps in it and in the groups in it.
    pub steps: usize,
    /// Those that are done.
    pub done: usize,
    /// Those that were passed over.
    pub skipped: usize,
    /// When its clock began, on the wall: with the first attempt of a member, anew when somebody gave it more time.
    pub started: Option<Timestamp>,
    /// Whether its deadline has passed and a member has not ended.
    pub late: bool,
}

/// What is kept of a group from record to record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct GroupClock {
    /// When its time began.
    pub(super) started: Option<Timestamp>,
    /// Members that have not ended.
    pub(super) open: usize,
    /// Whether it is written down that its time is up.
    pub(super) late: bool,
}

impl GroupClock {
    pub(super) fn of(members: usize) -> Self {
        Self { started: None, open: members, late: false }
    }

    /// Takes in what a member has become.
    pub(super) fn member(&mut self, was_settled: bool, settled: bool, started: Option<Timestamp>) {
        match (was_settled, settled) {
            (false, true) => self.open = self.open.saturating_sub(1),
            (true, false) => self.open += 1,
            _ => {}
        }
        self.started = self.started.or(started);
    }
}

impl GroupView {
    pub(super) fn of(view: &RunView, group: &Group, clock: &GroupClock) -> Self {
        let members: Vec<(&PlanStep, &StepView)> = view.members(group.id.as_str()).collect();
        let count = |wanted: fn(&StepState) -> bool| members.iter().filter(|(_, step)| wanted(&step.state)).count();
        let done = count(|state| matches!(state, StepState::Done { .. }));
        let skipped = count(|state| matches!(state, StepState::Skipped { .. }));
        let taken_back = count(|state| {
            matches!(
                state,
                StepState::Compensating
                    | StepState::CompensationInterrupted
                    | StepState::Compensated
                    | StepState::LeftStanding { .. }
            )
        });
        let late = clock.late && clock.open > 0;
        // Once somebody has ended the run, only what cannot be taken back is a failure still.
        let failed = members.iter().any(|(planned, step)| match step.state {
            StepState::CompensationFailed { .. } => true,
            StepState::Failed { .. } => view.cancel().is_none() || taken_back == 0,
            _ => false,
        } && backoff::exhausted(planned, step));
        let failed = failed || late && view.cancel().is_none();
        let state = match members.len() {
            _ if failed => GroupState::Failed,
            _ if taken_back > 0 => GroupState::TakenBack,
            all if done == all => GroupState::Done,
            all if skipped == all => GroupState::Skipped,
            all if done + skipped == all => GroupState::DoneWithExceptions,
            _ if members.iter().any(|(_, step)| step.state != StepState::Pending) => GroupState::Running,
            _ => GroupState::Pending,
        };
        Self { state, steps: members.len(), done, skipped, started: clock.started, late }
    }
}
