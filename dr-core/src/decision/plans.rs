use std::fmt;

use async_trait::async_trait;

use crate::{
    driver::DriverRegistry,
    engine::NewRun,
    error::{Effect, Error, ErrorKind, Result},
    lint::{LintInput, lint},
    model::RunId,
    plan::{Goal, SafetyRule},
    planner::{BeforeImages, PlanOptions, Planner, survey},
    spec::Waiver,
    time::SharedClock,
    topology::Topology,
};

/// Makes the run that a decision asks for: a plan for the world as it is now.
///
/// ```
/// use async_trait::async_trait;
/// use dr_core::{decision::Plans, engine::NewRun, error::Result, model::RunId, plan::{Goal, Plan}};
///
/// /// The same plan, whatever the world is like.
/// #[derive(Debug)]
/// struct Prepared(Plan);
///
/// #[async_trait]
/// impl Plans for Prepared {
///     async fn run_for(&self, run: RunId, _: &Goal) -> Result<NewRun> {
///         Ok(NewRun::new(run, self.0.clone()))
///     }
/// }
/// ```
#[async_trait]
pub trait Plans: fmt::Debug + Send + Sync + 'static {
    /// A run of this name for this goal.
    ///
    /// # Errors
    ///
    /// When no plan can be made, or lint blocks it. Nothing has happened then.
    async fn run_for(&self, run: RunId, goal: &Goal) -> Result<NewRun>;
}

/// Surveys the world through its drivers, plans, and lets lint judge.
#[derive(Clone, Debug)]
pub struct SurveyedPlans {
    /// What there is.
    pub topology: Topology,
    /// Who acts on it.
    pub drivers: DriverRegistry,
    /// The time.
    pub clock: SharedClock,
    /// How plans are made.
    pub options: PlanOptions,
    /// The objections of lint that somebody overruled.
    pub waivers: Vec<Waiver>,
}

#[async_trait]
impl Plans for SurveyedPlans {
    async fn run_for(&self, run: RunId, goal: &Goal) -> Result<NewRun> {
        let inventory = survey(&self.topology, &self.drivers, &self.clock).await;
        let refused = |why: String| Error::new(ErrorKind::PreconditionFailed, why).with_effect(Effect::NotApplied);
        let planner = Planner::new(&self.topology, &self.drivers);
        let plan = planner
            .plan(goal.clone(), &inventory, &BeforeImages::default(), &self.options)
            .map_err(|e| refused(e.to_string()))?;
        // The plan's edges say so as well; a promotion that somebody skips is done with for them, and not for the rule.
        let plan =
            plan.with_safety_rule(SafetyRule::no_traffic_before_promoted()).map_err(|e| refused(e.to_string()))?;
        let today = self.clock.wall();
        let report = lint(&LintInput::new(&plan, &self.topology, &inventory).waived(&self.waivers, today.date()));
        if !report.allows_run() {
            return Err(refused(format!("lint does not let the plan run: {report}")));
        }
        Ok(NewRun::new(run, plan).inventory(inventory).linted(&report))
    }
}
