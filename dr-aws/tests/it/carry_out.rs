//! A step carried out as the engine does it: look first, act only when nothing is there, and look again after an error
//! that may have had an effect.

use std::{sync::Arc, time::Duration};

use dr_core::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    model::{Epoch, Objectives},
    plan::{Goal, GoalKind, Inventory, Mode, PlanBuilder},
    step::{Observed, Step, StepCx},
    topology::Topology,
};
use serde_json::json;

use crate::two_regions::{EU_ARN, TwoRegions, US_ARN, eu, us};

impl TwoRegions {
    /// The context of an attempt that may take half an hour.
    pub(crate) fn step_cx(&self) -> StepCx {
        let clock = Arc::new(self.clock.clone());
        let limit = Duration::from_secs(1800);
        StepCx::new("run-1".parse().unwrap(), "step-1".parse().unwrap(), Epoch(1), clock, limit)
    }

    pub(crate) async fn carry_out<S: Step>(&self, step: &S, params: &S::Params) -> Result<S::Output> {
        self.passing(carry_out(step, &self.step_cx(), params)).await
    }
}

pub(crate) async fn carry_out<S: Step>(step: &S, cx: &StepCx, params: &S::Params) -> Result<S::Output> {
    let before = loop {
        match step.before_image(cx, params).await {
            Ok(before) => break before,
            Err(error) if error.retry() == Retry::Never => return Err(error),
            Err(_) => cx.wait(Duration::from_secs(1)).await?,
        }
    };
    let cx = cx.clone().with_before(before);
    for _ in 0..1000 {
        let output = match step.observe(&cx, params).await {
            Ok(Observed::Done { output }) => output,
            Ok(Observed::Blocked { reason }) => return Err(Error::new(ErrorKind::PreconditionFailed, reason)),
            Ok(Observed::NotStarted) => match step.execute(&cx, params).await {
                Ok(output) => output,
                Err(error) if error.effect() == Effect::NotApplied && error.retry() == Retry::Never => {
                    return Err(error);
                }
                Err(_) => continue,
            },
            Ok(Observed::InFlight) | Err(_) => {
                cx.wait(Duration::from_secs(2)).await?;
                continue;
            }
        };
        step.verify(&cx, params, &output).await?;
        return Ok(output);
    }
    panic!("the step never ends")
}

/// An application of the two databases over the two regions.
pub(crate) fn topology() -> Topology {
    serde_json::from_value(json!({
        "application": "shop",
        "objectives": { "rto": { "secs": 300, "nanos": 0 }, "rpo": { "secs": 60, "nanos": 0 } },
        "regions": [{ "id": "us-east-1", "role": "active" }, { "id": "eu-west-1", "role": "warm-standby" }],
        "resources": [
            {
                "id": "orders-db",
                "kind": "aws.aurora_global",
                "spec": { "global_cluster": "orders", "clusters": { "us-east-1": US_ARN, "eu-west-1": EU_ARN } },
            },
            {
                "id": "carts",
                "kind": "aws.elasticache_global",
                "spec": {
                    "global_replication_group": "ldgnf-carts",
                    "members": { "us-east-1": "carts-use1", "eu-west-1": "carts-euw1" },
                },
            },
        ],
        "services": [],
        "observers": [],
        "probes": [],
        "detection": { "quorum": 2, "dwell": "20s", "hold_down": "5m" },
    }))
    .unwrap()
}

/// An empty plan from `us-east-1` to `eu-west-1`, or back for a failback.
pub(crate) fn plan_builder(kind: GoalKind, mode: Mode) -> PlanBuilder {
    let (from, to) = if kind == GoalKind::Failback { (eu(), us()) } else { (us(), eu()) };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    PlanBuilder::new("shop".parse().unwrap(), Goal { kind, from, to, mode }, objectives)
}

/// A step by its name, and the operation in it that changes something with the region that it is sent to.
pub(crate) type Contributed = (String, Option<(String, String)>);

/// The steps that a driver contributes.
pub(crate) fn contributed(
    driver: &dyn dr_core::driver::Driver,
    resource: &str,
    kind: GoalKind,
    mode: Mode,
    inventory: &Inventory,
) -> Result<Vec<Contributed>> {
    let topology = topology();
    let resource = topology.resource(&resource.parse().unwrap()).unwrap();
    let mut builder = plan_builder(kind, mode);
    let before = dr_core::planner::BeforeImages::default();
    let mut draft = dr_core::planner::PlanDraft::new(&mut builder, &topology, inventory, &before, resource);
    driver.contribute(resource, &mut draft)?;
    let steps = builder.steps().iter().map(|step| {
        let call = step.calls.iter().find(|call| call.mutates);
        (step.id.to_string(), call.map(|call| (call.operation.to_string(), call.endpoints[0].to_string())))
    });
    Ok(steps.collect())
}
