use std::time::Duration;

use super::BeforeImages;
use crate::{
    model::{Resource, ResourceId, StepId},
    plan::{Goal, Inventory, PlanBuilder, StepDraft},
    step::Step,
    topology::Topology,
};

/// What a driver adds its steps to, and everything it may know while doing so.
#[derive(Debug)]
pub struct PlanDraft<'a> {
    pub(super) builder: &'a mut PlanBuilder,
    pub(super) topology: &'a Topology,
    pub(super) inventory: &'a Inventory,
    pub(super) before: &'a BeforeImages,
    pub(super) resource: &'a ResourceId,
}

impl<'a> PlanDraft<'a> {
    /// A draft for one resource: for drivers' tests; the planner makes its own.
    #[must_use]
    pub fn new(
        builder: &'a mut PlanBuilder,
        topology: &'a Topology,
        inventory: &'a Inventory,
        before: &'a BeforeImages,
        resource: &'a Resource,
    ) -> Self {
        Self { builder, topology, inventory, before, resource: &resource.id }
    }

    /// What the plan is for.
    #[must_use]
    pub fn goal(&self) -> &Goal {
        self.builder.goal()
    }

    /// The regions and everything in them.
    #[must_use]
    pub fn topology(&self) -> &'a Topology {
        self.topology
    }

    /// What the drivers saw of the world.
    #[must_use]
    pub fn inventory(&self) -> &'a Inventory {
        self.inventory
    }

    /// What an earlier run changed: what a failback restores.
    #[must_use]
    pub fn before(&self) -> &'a BeforeImages {
        self.before
    }

    /// The step added last, by whichever resource: for an edge to one's own step before.
    #[must_use]
    pub fn last_step(&self) -> Option<StepId> {
        self.builder.steps().last().map(|step| step.id.clone())
    }

    /// Adds a step named `<resource>/<verb>`, acting on this draft's resource.
    pub fn step<S: Step>(&mut self, verb: &str, step: &S, params: &S::Params) -> StepDraft<'_, S::Output> {
        let id = format!("{}/{verb}", self.resource);
        self.builder.step(&id, step, params).resource(self.resource).timeout(Duration::from_secs(300))
    }
}
