use std::collections::BTreeSet;

use super::PlanStep;
use crate::step::Reversibility;

/// The irreversible steps that no irreversible step precedes. `steps` are in topological order.
pub(super) fn point_of_no_return(steps: &[PlanStep]) -> Vec<&PlanStep> {
    let mut beyond = BTreeSet::new();
    let mut point = Vec::new();
    for step in steps {
        let behind_one = step.after.iter().any(|before| beyond.contains(before));
        let irreversible = step.reversibility == Reversibility::Irreversible;
        if irreversible && !behind_one {
            point.push(step);
        }
        if irreversible || behind_one {
            beyond.insert(&step.id);
        }
    }
    point
}
