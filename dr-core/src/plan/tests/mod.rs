//! A step that does nothing, and plans of it.

mod args;
mod canonical;
mod diff;
mod groups;
mod inventory;
mod plans;
mod prewarm;
mod random;
mod timeline;

use std::time::Duration;

use async_trait::async_trait;

pub(super) use super::*;
use crate::{
    error::Result,
    model::{ApplicationId, Objectives, RegionId, StepId},
    step::{Observed, Reversibility, Step, StepCx},
};

#[derive(Debug)]
pub(super) struct Act(Reversibility);

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "test.act";
    type Params = Arg<u32>;
    type Output = u32;

    fn reversibility(&self) -> Reversibility {
        self.0
    }

    fn calls(&self, _: &Self::Params) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &Self::Params) -> Result<Observed<u32>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, params: &Self::Params) -> Result<u32> {
        params.get().copied()
    }

    async fn compensate(&self, _: &StepCx, _: &Self::Params, _: Option<&u32>) -> Result<()> {
        Ok(())
    }
}

pub(super) fn builder() -> PlanBuilder {
    let goal = Goal {
        kind: GoalKind::Failover,
        from: RegionId::new("us-east-1").unwrap(),
        to: RegionId::new("eu-west-1").unwrap(),
        mode: Mode::Ungraceful,
    };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    PlanBuilder::new(ApplicationId::new("shop").unwrap(), goal, objectives)
}

pub(super) const SOFT: Act = Act(Reversibility::Reversible);
pub(super) const HARD: Act = Act(Reversibility::Irreversible);

pub(super) fn ids(steps: &[&PlanStep]) -> Vec<String> {
    steps.iter().map(|step| step.id.to_string()).collect()
}
