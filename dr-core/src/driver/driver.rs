use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use schemars::Schema;

use super::Operation;
use crate::{
    error::Result,
    model::{Resource, ResourceKind},
    plan::Inventory,
    planner::PlanDraft,
    probe::HealthProbe,
    step::DynStep,
    time::SharedClock,
    topology::Topology,
    validation::Validation,
};

/// What a look before planning is given.
#[derive(Clone, Debug)]
pub struct SurveyCx<'a> {
    /// The regions and everything in them.
    pub topology: &'a Topology,
    /// Time, for the deadline on every call: a sick region must not hold the look up.
    pub clock: SharedClock,
}

/// Everything that the project knows of one kind of resource.
///
/// ```
/// use dr_core::driver::Driver;
///
/// /// Every call that the drivers may make, for a permission review.
/// fn operations(drivers: &[Box<dyn Driver>]) -> Vec<&'static str> {
///     drivers.iter().flat_map(|driver| driver.operations()).map(|operation| operation.name).collect()
/// }
/// assert!(operations(&[]).is_empty());
/// ```
#[async_trait]
pub trait Driver: Debug + Send + Sync + 'static {
    /// The kind, as `dr.yaml` writes it: `aws.aurora_global`.
    fn kind(&self) -> ResourceKind;

    /// The schema of the `spec:` block of its resources.
    fn schema(&self) -> Schema;

    /// Every remote call that its steps may make.
    fn operations(&self) -> &'static [Operation];

    /// Probes that see whether a resource is well.
    ///
    /// # Errors
    ///
    /// When the resource's block cannot be used.
    fn probes(&self, resource: &Resource) -> Result<Vec<Arc<dyn HealthProbe>>>;

    /// What must be true before anyone needs it.
    ///
    /// # Errors
    ///
    /// When the resource's block cannot be used.
    fn validations(&self, resource: &Resource) -> Result<Vec<Arc<dyn Validation>>>;

    /// Looks at the world, so that the plan can be made for it as it is. What cannot be seen is left unknown, and said so in
    /// [`Inventory::unknown`]: a dead region is no reason not to plan.
    ///
    /// # Errors
    ///
    /// When the resource's block cannot be used.
    async fn survey(&self, resource: &Resource, cx: &SurveyCx<'_>) -> Result<Inventory>;

    /// Whether its [survey](Self::survey) tells how far a store's followers are behind, as it does when they can be asked.
    fn tells_lag(&self) -> bool {
        false
    }

    /// Adds the steps that this resource needs for the draft's goal. Pure: no I/O.
    ///
    /// # Errors
    ///
    /// When the resource's block cannot be used, or the goal cannot be reached with it as surveyed.
    fn contribute(&self, resource: &Resource, draft: &mut PlanDraft<'_>) -> Result<()>;

    /// Every step it has, ready to run: what an engine needs to resume a plan that another process began.
    fn steps(&self) -> Vec<Arc<dyn DynStep>>;
}
