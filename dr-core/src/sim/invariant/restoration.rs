//! The world at the end.

use super::{Evidence, Invariant, Violation};
use crate::{engine::StepState, journal::RunEnd, plan::GoalKind, sim::cell::Cell, step::Reversibility};

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let Some((end, _)) = evidence.view.ended() else { return };
    let mut tell = |what| found.push(Violation { invariant: Invariant::WorldAsItWas, at: evidence.now, what });
    // What the run says that it leaves changed: whatever was done, or may have been, and is not taken back.
    let named: Vec<&str> = evidence
        .view
        .steps()
        .filter(|(step, state)| {
            let left = matches!(state.state, StepState::LeftStanding { .. });
            step.reversibility != Reversibility::ReadOnly && (state.may_stand() || left)
        })
        .map(|(step, _)| step.id.as_str())
        .collect();
    let names = |cell: Cell| {
        named.iter().any(|id| evidence.scenario.step(id).is_some_and(|step| step.sets.iter().any(|(c, _)| *c == cell)))
    };
    for (cell, before) in Cell::all().zip(evidence.initial) {
        let Some(course) = evidence.courses.get(usize::from(cell.0)) else { continue };
        let is = course.last();
        if is == *before || evidence.overtaken(cell.0) {
            continue;
        }
        let restores = matches!(evidence.scenario.goal, GoalKind::Drill | GoalKind::Rehearsal);
        if end == RunEnd::Completed && restores && evidence.scenario.sensible {
            tell(format!("the run has restored everything, but {cell} is {is} and was {before}"));
        } else if !names(cell) {
            tell(format!("{cell} is {is} and was {before}, and the end ({end:?}) names no step for it"));
        }
    }
    // A drill does not end as if all were well when a call may still arrive for a step that it went on without.
    let practice = matches!(evidence.scenario.goal, GoalKind::Drill | GoalKind::Rehearsal);
    if practice && matches!(end, RunEnd::Completed | RunEnd::CompletedWithExceptions | RunEnd::Dirty) {
        for (step, _) in evidence.view.steps().filter(|(step, _)| step.reversibility != Reversibility::ReadOnly) {
            let left = evidence.view.effects_left().iter().any(|effect| effect.step == step.id);
            let cancelled = evidence.view.cancel().is_some();
            if !left && !cancelled && evidence.skipped_in_doubt(step.id.as_str()) {
                tell(format!("{} may still be done, and the end ({end:?}) does not name it", step.id));
            }
        }
    }
    // Cancelled with compensation, and not past the point of no return: nothing may be left at all.
    let back = evidence.view.cancel().is_some_and(|cancel| cancel.compensate) && !evidence.view.past_return();
    if end == RunEnd::Cancelled && back && !named.is_empty() {
        tell(format!("the run was cancelled and taken back, but leaves {}", named.join(", ")));
    }
}
