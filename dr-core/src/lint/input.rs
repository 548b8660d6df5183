use jiff::civil::Date;

use super::graph::Graph;
use crate::{
    model::RegionId,
    plan::{Inventory, Plan, PlanStep},
    spec::Waiver,
    topology::Topology,
};

/// Everything that the rules may look at.
#[derive(Clone, Debug)]
pub struct LintInput<'a> {
    /// The plan that is judged.
    pub plan: &'a Plan,
    /// The application over its regions.
    pub topology: &'a Topology,
    /// What the drivers surveyed. Absent means unknown: rules then rely on the plan alone.
    pub facts: &'a Inventory,
    pub(super) waivers: &'a [Waiver],
    pub(super) today: Option<Date>,
    pub(super) graph: Graph,
}

impl<'a> LintInput<'a> {
    /// The input without waivers. Works out once who comes before whom.
    #[must_use]
    pub fn new(plan: &'a Plan, topology: &'a Topology, facts: &'a Inventory) -> Self {
        Self { plan, topology, facts, waivers: &[], today: None, graph: Graph::new(plan) }
    }

    /// With the waivers of `dr.yaml`; those that ended before `today` (in UTC) are refused.
    #[must_use]
    pub fn waived(mut self, waivers: &'a [Waiver], today: Date) -> Self {
        self.waivers = waivers;
        self.today = Some(today);
        self
    }

    /// The region that the plan must not need; none in a graceful plan.
    #[must_use]
    pub fn failed_region(&self) -> Option<&'a RegionId> {
        self.plan.goal().failed_region()
    }

    /// The steps with their positions.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        self.plan.steps().iter().enumerate()
    }

    /// Whether clients reach the application through what this step changes.
    pub(super) fn shifts_traffic(&self, step: &PlanStep) -> bool {
        use super::operation::moves_traffic;
        use crate::plan::Phase;
        let changes = step.calls.is_empty() || step.calls.iter().any(|call| call.mutates);
        let of_traffic =
            step.resource.as_ref().is_some_and(|id| self.facts.traffic.iter().any(|traffic| traffic.resource == *id));
        // What a step does counts, not only the phase that it claims; what puts back is not a shift.
        match step.phase {
            Phase::Shift => changes,
            Phase::Restore => false,
            _ => step.calls.iter().any(moves_traffic) || (of_traffic && step.calls.iter().any(|call| call.mutates)),
        }
    }
}
