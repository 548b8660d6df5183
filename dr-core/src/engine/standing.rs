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

/// What stands, or may come to stand, because a step was skipped in a run that is to leave the world as it was: the step that
/// was to put something back, and one whose last attempt may take effect later, when nobody looks any more.
pub(super) fn left_by_skips(view: &RunView) -> Vec<StandingEffect> {
    if !is_practice(view) {
        return Vec::new();
    }
    let skipped = view.steps().filter_map(|(step, state)| match &state.state {
        StepState::Skipped { reason } => Some((step, state, reason)),
        _ => None,
    });
    skipped
        .filter_map(|(step, state, reason)| {
            let why = match (step.phase, state.may_stand()) {
                (Phase::Restore, _) => format!("putting it back was skipped: {reason}"),
                (_, true) if step.reversibility != Reversibility::ReadOnly => {
                    format!("skipped while nobody knew whether it was done, or will be: {reason}")
                }
                _ => return None,
            };
            Some(effect(step, why))
        })
        .collect()
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
        (StepState::Done { .. }, Reversibility::Irreversible) => "there is no way back from it".to_owned(),
        (StepState::Done { .. }, _) if past_return => "past the point of no return nothing is taken back".to_owned(),
        (StepState::Done { .. }, _) => "done, and not taken back".to_owned(),
        (other, Reversibility::Irreversible) => {
            format!("{}: nobody knows whether it was done, and there is no way back from it", other.as_str())
        }
        (other, _) => format!("{}: nobody knows whether it was done", other.as_str()),
    }
}
