use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    engine::Engine,
    error::Result,
    journal::Journal,
    model::{ApplicationId, Objectives, RegionId, RunId},
    plan::{Call, Goal, GoalKind, Mode, Phase, Plan, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx, StepRegistry, erase},
    time::SharedClock,
};
use std::sync::Arc;

use crate::Outcome;

/// A step that takes this many milliseconds of its clock's time and changes nothing.
#[derive(Debug)]
pub(crate) struct Noop;

#[async_trait]
impl Step for Noop {
    const KIND: &'static str = "bench.noop";
    type Params = u64;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, _: &u64) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &u64) -> Result<Observed<()>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, takes: &u64) -> Result<()> {
        if *takes > 0 {
            cx.clock.sleep(Duration::from_millis(*takes)).await;
        }
        Ok(())
    }

    async fn compensate(&self, _: &StepCx, _: &u64, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}

/// The plan of these steps.
pub(crate) fn plan(after: &[Vec<usize>], takes: impl Fn(usize) -> u64) -> Outcome<Plan> {
    let goal = Goal {
        kind: GoalKind::Failover,
        from: RegionId::new("us-east-1")?,
        to: RegionId::new("eu-west-1")?,
        mode: Mode::Ungraceful,
    };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let mut builder = PlanBuilder::new(ApplicationId::new("bench")?, goal, objectives);
    builder.deadline(Duration::from_secs(1_000_000));
    for (at, after) in after.iter().enumerate() {
        let mut step = builder.step(&format!("s{at}"), &Noop, &takes(at)).title("nothing").phase(Phase::Scale);
        for before in after {
            step = step.after(&format!("s{before}"));
        }
        step.timeout(Duration::from_secs(3600));
    }
    Ok(builder.build()?)
}

/// An engine that can make these plans.
pub(crate) fn engine(journal: Arc<dyn Journal>, clock: SharedClock) -> Outcome<Engine> {
    let mut steps = StepRegistry::new();
    steps.register(erase(Noop))?;
    Ok(Engine::builder(journal, steps, clock).lease(Duration::from_secs(3600)).build())
}

pub(crate) fn run_id() -> Outcome<RunId> {
    Ok(RunId::new("run-1")?)
}
