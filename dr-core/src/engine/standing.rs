//! What stands of a run that was to leave the world as it was.

use super::{RunView, StepState, StepView};
use crate::{
    journal::StandingEffect,
    plan::{GoalKind, Phase, PlanStep},
    step::Reversibility,
};

/// Every effect of a run that stands, the first one made first.
pub(super) fn effects(view: &RunView) -> Vec<StandingEffect> {
    let past_return = view.past_return();
    let mut standing: Vec<_> = view
        .standing_last_first()
        .filter(|(step, state)| step.reversibility != Reversibility::ReadOnly && state.may_stand())
        .collect();
    standing.sort_by_key(|(_, state)| state.order);
    standing.into_iter().map(|(step, state)| effect(step, why(step, state, past_return))).collect()
}

/// What stands because somebody skipped the step that was to put it back; empty for a run that is to change the world.
pub(super) fn not_restored(view: &RunView) -> Vec<StandingEffect> {
    if !is_practice(view) {
        return Vec::new();
    }
    let skipped = view.steps().filter_map(|(step, state)| match &state.state {
        StepState::Skipped { reason } if step.phase == Phase::Restore => Some((step, reason)),
        _ => None,
    });
    skipped.map(|(step, reason)| effect(step, format!("putting it back was skipped: {reason}"))).collect()
}

/// Whether a run is to leave the world as it was.
pub(super) fn is_practice(view: &RunView) -> bool {
    matches!(view.plan().goal().kind, GoalKind::Drill | GoalKind::Rehearsal | GoalKind::Prewarm)
}

fn effect(step: &PlanStep, why: String) -> StandingEffect {
    StandingEffect { step: step.id.clone(), resource: step.resource.clone(), region: step.region.clone(), why }
}

fn why(step: &PlanStep, state: &StepView, past_return: bool) -> String {
    match (&state.state, step.reversibility) {
        (StepState::LeftStanding { reason }, _) => format!("could not be taken back, and was left: {reason}"),
        (_, Reversibility::Irreversible) => "there is no way back from it".to_owned(),
        _ if past_return => "past the point of no return nothing is taken back".to_owned(),
        (StepState::Done { .. }, _) => "done, and not taken back".to_owned(),
        (other, _) => format!("{}: nobody knows whether it was done", other.as_str()),
    }
}
