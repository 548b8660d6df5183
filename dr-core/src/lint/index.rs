//! The plan, looked up by what rules ask for. Built once, in one pass, and shared by all of them.

use std::collections::BTreeMap;

use crate::{
    model::ResourceId,
    plan::{Call, Inventory, Phase, Plan, PlanStep},
};

/// A call with the step that makes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Made<'a> {
    /// The step's position in the plan.
    pub(super) at: usize,
    pub(super) step: &'a PlanStep,
    pub(super) call: &'a Call,
}

#[derive(Clone, Debug)]
pub(super) struct Index<'a> {
    by_operation: BTreeMap<&'a str, Vec<Made<'a>>>,
    by_phase: BTreeMap<Phase, Vec<usize>>,
    by_resource: BTreeMap<&'a ResourceId, Vec<usize>>,
    shifts: Vec<usize>,
}

impl<'a> Index<'a> {
    pub(super) fn new(plan: &'a Plan, facts: &Inventory) -> Self {
        let mut index = Self {
            by_operation: BTreeMap::new(),
            by_phase: BTreeMap::new(),
            by_resource: BTreeMap::new(),
            shifts: Vec::new(),
        };
        for (at, step) in plan.steps().iter().enumerate() {
            for call in &step.calls {
                index.by_operation.entry(&call.operation).or_default().push(Made { at, step, call });
            }
            index.by_phase.entry(step.phase).or_default().push(at);
            if let Some(resource) = &step.resource {
                index.by_resource.entry(resource).or_default().push(at);
            }
            if shifts_traffic(step, facts) {
                index.shifts.push(at);
            }
        }
        index
    }

    /// The calls to keep of the operations that fit, in the order of the plan.
    pub(super) fn calls(&self, fits: impl Fn(&str) -> bool, keep: impl Fn(&Made<'a>) -> bool) -> Vec<Made<'a>> {
        let lists = self.by_operation.iter().filter(|(operation, _)| fits(operation)).map(|(_, calls)| calls);
        let mut found: Vec<Made<'a>> = lists.flatten().filter(|made| keep(made)).copied().collect();
        // Each list is in order by itself.
        found.sort_by_key(|made| made.at);
        found
    }

    pub(super) fn of_phase(&self, phase: Phase) -> &[usize] {
        self.by_phase.get(&phase).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn about(&self, resource: &ResourceId) -> &[usize] {
        self.by_resource.get(resource).map(Vec::as_slice).unwrap_or_default()
    }

    pub(super) fn shifts(&self) -> &[usize] {
        &self.shifts
    }
}

/// Whether clients reach the application through what this step changes.
fn shifts_traffic(step: &PlanStep, facts: &Inventory) -> bool {
    use super::operation::moves_traffic;
    // What a step does counts, not only the phase that it claims; what puts back is not a shift.
    match step.phase {
        Phase::Shift => step.calls.is_empty() || step.calls.iter().any(|call| call.mutates),
        Phase::Restore => false,
        _ => {
            let changes = |call: &Call| call.mutates;
            let of_traffic =
                || step.resource.as_ref().is_some_and(|id| facts.traffic.iter().any(|traffic| traffic.resource == *id));
            step.calls.iter().any(moves_traffic) || (step.calls.iter().any(changes) && of_traffic())
        }
    }
}
