use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{ResourceId, StepId},
    plan::{Phase, PlanStep},
    topology::Topology,
};

/// Adds the edges that the phases and `depends_on` ask for; what the drivers said themselves stays.
pub(super) fn connect(steps: &mut [PlanStep], topology: &Topology) {
    within_phases(steps, topology);
    across_phases(steps);
}

/// A resource's steps follow, within a phase, those of the resources it depends on.
fn within_phases(steps: &mut [PlanStep], topology: &Topology) {
    let mut by_place: BTreeMap<(Phase, ResourceId), Vec<StepId>> = BTreeMap::new();
    for step in steps.iter() {
        if let Some(resource) = &step.resource {
            by_place.entry((step.phase, resource.clone())).or_default().push(step.id.clone());
        }
    }
    for step in steps.iter_mut() {
        let Some(resource) = step.resource.as_ref().and_then(|id| topology.resource(id)) else { continue };
        for dependency in &resource.depends_on {
            if let Some(before) = by_place.get(&(step.phase, dependency.clone())) {
                step.after.extend(before.iter().cloned());
            }
        }
    }
}

/// A phase's steps follow the last steps of the phases before it; an empty phase passes the wait on to its own predecessors.
fn across_phases(steps: &mut [PlanStep]) {
    let mut last: BTreeMap<Phase, Vec<StepId>> = BTreeMap::new();
    for phase in Phase::ALL {
        let inside: Vec<&PlanStep> = steps.iter().filter(|step| step.phase == phase).collect();
        let waited_for: BTreeSet<&StepId> = inside.iter().flat_map(|step| &step.after).collect();
        let ends: Vec<StepId> =
            inside.iter().filter(|step| !waited_for.contains(&step.id)).map(|step| step.id.clone()).collect();
        last.insert(phase, ends);
    }
    for step in steps.iter_mut() {
        let mut pending: Vec<Phase> = step.phase.predecessors().to_vec();
        while let Some(phase) = pending.pop() {
            match last.get(&phase) {
                Some(ends) if !ends.is_empty() => step.after.extend(ends.iter().cloned()),
                _ => pending.extend(phase.predecessors()),
            }
        }
        step.after.sort();
        step.after.dedup();
    }
}
