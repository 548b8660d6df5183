use std::{collections::BTreeSet, fmt, time::Duration};

use futures::future::join_all;

use super::{BeforeImages, PlanDraft, edges};
use crate::{
    driver::{DriverRegistry, SurveyCx},
    error::Error,
    model::{RegionId, ResourceId, StepId},
    plan::{Gate, Goal, InvalidPlan, Inventory, Mode, Plan, PlanBuilder, RecoveryGoal},
    spec::Spec,
    time::SharedClock,
    topology::Topology,
};

/// How a plan is to be made.
#[derive(Clone, Debug, Default)]
pub struct PlanOptions {
    /// The region that runs the engine.
    pub runner: Option<RegionId>,
    /// The region that holds the journal.
    pub journal: Option<RegionId>,
    /// Whether a person must approve the point of no return.
    pub approval: bool,
    /// Who may; nobody named means anybody.
    pub approvers: Vec<String>,
    /// How long the question stands, unanswered.
    pub approval_expires: Option<Duration>,
    /// The run ends by then. When absent: four times the recovery time objective and at least half an hour for leaving a
    /// failed region; twelve hours for a graceful plan, which waits for data to follow rather than lose any.
    pub deadline: Option<Duration>,
    /// When the run has recovered the application; absent when nobody watches its health.
    pub recovery: Option<RecoveryGoal>,
}

impl PlanOptions {
    /// What `dr.yaml` says of plans in this mode: where they run, who approves the point of no return, when they end.
    ///
    /// The engine that carries such a plan out needs a [health source](crate::engine::HealthSource) if
    /// `objectives.recovered` is given.
    #[must_use]
    pub fn of(spec: &Spec, mode: Mode) -> Self {
        Self {
            runner: Some(spec.runner.region.clone()),
            journal: Some(spec.journal.region.clone()),
            approval: true,
            approvers: spec.approvals.approvers.clone(),
            approval_expires: spec.approvals.expires,
            // A graceful plan waits for data to follow, however long that takes: nobody is without service meanwhile.
            deadline: (mode == Mode::Ungraceful).then_some(spec.timeouts.run),
            recovery: spec
                .objectives
                .recovered
                .map(|recovered| RecoveryGoal { stays: recovered.stays, within: recovered.within }),
        }
    }
}

/// Why no plan could be made, every reason at once.
#[derive(Debug)]
pub enum PlanError {
    /// These resources could not contribute.
    Resources(Vec<(ResourceId, Error)>),
    /// What they contributed does not make a plan.
    Invalid(InvalidPlan),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Resources(errors) => {
                write!(f, "{} resource(s) cannot take part in this plan", errors.len())?;
                errors.iter().try_for_each(|(id, error)| write!(f, "\n  {id}: {error}"))
            }
            Self::Invalid(invalid) => invalid.fmt(f),
        }
    }
}

impl std::error::Error for PlanError {}

/// Asks every driver what it sees, all at once. What cannot be seen ends in [`Inventory::unknown`].
pub async fn survey(topology: &Topology, drivers: &DriverRegistry, clock: &SharedClock) -> Inventory {
    let looks = topology.resources().iter().filter_map(|resource| {
        let driver = drivers.get(&resource.kind)?;
        let cx = SurveyCx { topology, clock: clock.clone() };
        Some(async move { (resource, driver.survey(resource, &cx).await) })
    });
    let mut inventory = Inventory::default();
    for (resource, seen) in join_all(looks).await {
        match seen {
            Ok(seen) => inventory.merge(seen),
            Err(error) => inventory.unknown.push(format!("{}: {error}", resource.id)),
        }
    }
    inventory
}

/// Makes plans. Pure: equal inputs make equal plans, to the digest.
#[derive(Clone, Copy, Debug)]
pub struct Planner<'a> {
    topology: &'a Topology,
    drivers: &'a DriverRegistry,
}

impl<'a> Planner<'a> {
    /// A planner over a topology and the drivers of its resources.
    #[must_use]
    pub fn new(topology: &'a Topology, drivers: &'a DriverRegistry) -> Self {
        Self { topology, drivers }
    }

    /// The plan for a goal in the world as surveyed; `before` is what an earlier run changed, for a failback.
    ///
    /// # Errors
    ///
    /// [`PlanError`] with every reason.
    pub fn plan(
        &self,
        goal: Goal,
        inventory: &Inventory,
        before: &BeforeImages,
        options: &PlanOptions,
    ) -> Result<Plan, PlanError> {
        let objectives = self.topology.objectives();
        let mut builder = PlanBuilder::new(self.topology.application().clone(), goal, objectives);
        builder.runner(options.runner.clone()).journal(options.journal.clone());
        let usual = match builder.goal().mode {
            Mode::Ungraceful => (objectives.rto * 4).max(Duration::from_secs(30 * 60)),
            Mode::Graceful => Duration::from_secs(12 * 60 * 60),
        };
        builder.deadline(options.deadline.unwrap_or(usual));
        if let Some(goal) = options.recovery {
            builder.recovery(goal);
        }
        let (from, to) = (builder.goal().from.clone(), builder.goal().to.clone());
        for region in self.topology.regions() {
            if region.role.can_take_over() && region.id != from && region.id != to {
                builder.standing(region.id.clone());
            }
        }
        let mut errors = Vec::new();
        for resource in self.topology.resources() {
            let Some(driver) = self.drivers.get(&resource.kind) else { continue };
            let mut draft =
                PlanDraft { builder: &mut builder, topology: self.topology, inventory, before, resource: &resource.id };
            if let Err(error) = driver.contribute(resource, &mut draft) {
                errors.push((resource.id.clone(), error));
            }
        }
        if !errors.is_empty() {
            return Err(PlanError::Resources(errors));
        }
        edges::connect(builder.steps_mut(), self.topology);
        let ungraceful = builder.goal().mode == Mode::Ungraceful;
        let mut plan = builder.build().map_err(PlanError::Invalid)?;
        if options.approval {
            plan = gate(plan, ungraceful, options)?;
        }
        Ok(plan)
    }
}

/// Puts the approval just before the point of no return.
fn gate(plan: Plan, ungraceful: bool, options: &PlanOptions) -> Result<Plan, PlanError> {
    let points: BTreeSet<StepId> = plan.point_of_no_return().iter().map(|step| step.id.clone()).collect();
    plan.edit_steps(|step| {
        if points.contains(&step.id) {
            let loss = if ungraceful { "; writes that were not replicated are lost" } else { "" };
            step.gate.get_or_insert_with(|| Gate {
                question: format!("{}: no way back from here{loss}", step.title),
                approvers: options.approvers.clone(),
                expires: options.approval_expires,
            });
        }
    })
    .map_err(PlanError::Invalid)
}
