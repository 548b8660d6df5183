use jiff::civil::Date;

use super::{
    graph::Graph,
    index::{Index, Made},
};
use crate::{
    model::{RegionId, ResourceId},
    plan::{Inventory, Phase, Plan, PlanStep},
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
    index: Index<'a>,
}

impl<'a> LintInput<'a> {
    /// The input without waivers. Looks the plan through once, so that no rule has to do so for itself.
    #[must_use]
    pub fn new(plan: &'a Plan, topology: &'a Topology, facts: &'a Inventory) -> Self {
        Self {
            plan,
            topology,
            facts,
            waivers: &[],
            today: None,
            graph: Graph::new(plan),
            index: Index::new(plan, facts),
        }
    }

    /// With the waivers of `dr.yaml`; those that ended before `today` (in UTC) are refused.
    #[must_use]
    pub fn waived(mut self, waivers: &'a [Waiver], today: Date) -> Self {
        self.waivers = waivers;
        self.today = Some(today);
        self
    }

    /// The day of the judgement, in UTC, when it is known.
    #[must_use]
    pub fn today(&self) -> Option<Date> {
        self.today
    }

    /// The region that the plan must not need; none in a graceful plan.
    #[must_use]
    pub fn failed_region(&self) -> Option<&'a RegionId> {
        self.plan.goal().failed_region()
    }

    /// The region that the plan goes to.
    pub(super) fn to(&self) -> &'a RegionId {
        &self.plan.goal().to
    }

    /// The steps with their positions.
    pub(super) fn steps(&self) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        self.plan.steps().iter().enumerate()
    }

    fn at(&self, places: &[usize]) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        places.iter().filter_map(|at| self.plan.steps().get(*at).map(|step| (*at, step)))
    }

    /// The steps of a phase.
    pub(super) fn of_phase(&self, phase: Phase) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        self.at(self.index.of_phase(phase))
    }

    /// The steps that act on a resource.
    pub(super) fn about(&self, resource: &ResourceId) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        self.at(self.index.about(resource))
    }

    /// The steps through whose changes clients reach the application.
    pub(super) fn shifts(&self) -> impl Iterator<Item = (usize, &'a PlanStep)> {
        self.at(self.index.shifts())
    }

    /// The calls to keep of the operations that fit, in the order of the plan.
    pub(super) fn calls(&self, fits: impl Fn(&str) -> bool, keep: impl Fn(&Made<'a>) -> bool) -> Vec<Made<'a>> {
        self.index.calls(fits, keep)
    }

    /// The calls of these operations.
    pub(super) fn calls_of(&self, operations: &[&str]) -> Vec<Made<'a>> {
        self.calls(|operation| operations.contains(&operation), |_| true)
    }

    /// The calls of these operations that change something.
    pub(super) fn changes_of(&self, operations: &[&str]) -> Vec<Made<'a>> {
        self.calls(|operation| operations.contains(&operation), |made| made.call.mutates)
    }
}
