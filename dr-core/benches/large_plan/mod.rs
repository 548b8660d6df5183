//! The plan of ten thousand steps that benchmarks build, judge and read.

use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::Result,
    lint::{LintInput, lint},
    model::{ApplicationId, Objectives, Plane, RegionId},
    plan::{Call, Goal, GoalKind, InvalidPlan, Inventory, Mode, Phase, Plan, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx},
    topology::Topology,
};
use serde_json::{Value, json};

/// How many steps it has.
pub(crate) const STEPS: usize = 10_000;

#[derive(Debug)]
struct Act;

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "bench.act";
    type Params = RegionId;
    type Output = u64;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, region: &RegionId) -> Vec<Call> {
        let look = Call {
            operation: "k8s:get deployments".into(),
            plane: Plane::Control,
            endpoints: vec![region.clone()],
            mutates: false,
            args: Default::default(),
            manual: "kubectl get deployments".to_owned(),
        };
        let patch = Call { operation: "k8s:patch deployments/scale".into(), mutates: true, ..look.clone() };
        vec![look, patch]
    }

    async fn observe(&self, _: &StepCx, _: &RegionId) -> Result<Observed<u64>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, _: &RegionId) -> Result<u64> {
        Ok(0)
    }

    async fn compensate(&self, _: &StepCx, _: &RegionId, _: Option<&u64>) -> Result<()> {
        Ok(())
    }
}

fn spec() -> Value {
    json!({
        "application": "bench",
        "endpoint": "https://api.example.com",
        "objectives": { "rto": "5m", "rpo": "60s" },
        "regions": [
            { "id": "us-east-1", "role": "active" },
            { "id": "eu-west-1", "role": "warm-standby" },
            { "id": "eu-central-1", "role": "witness" },
        ],
        "observers": [
            { "id": "a", "region": "us-east-1" },
            { "id": "b", "region": "eu-west-1" },
            { "id": "c", "region": "eu-central-1" },
        ],
        "probes": [{
            "id": "front", "kind": "http", "path": "/health", "interval": "10s", "timeout": "4s",
            "threshold": { "trip": 3, "clear": 3 },
        }],
        "detection": { "quorum": 2, "dwell": "10s", "hold_down": "10m" },
        "resources": [{ "id": "apps", "kind": "bench.apps", "spec": {} }],
        "runner": { "region": "eu-central-1" },
        "journal": { "store": "sqlite", "path": "journal.sqlite", "region": "eu-central-1" },
    })
}

/// What the plan is built from, and judged against.
pub(crate) struct Material {
    application: ApplicationId,
    goal: Goal,
    objectives: Objectives,
    topology: Topology,
    facts: Inventory,
}

impl Material {
    /// The material.
    ///
    /// # Errors
    ///
    /// When the specification above is not one.
    pub(crate) fn new() -> std::result::Result<Self, Box<dyn std::error::Error>> {
        Ok(Self {
            application: ApplicationId::new("bench")?,
            goal: Goal {
                kind: GoalKind::Failover,
                from: RegionId::new("us-east-1")?,
                to: RegionId::new("eu-west-1")?,
                mode: Mode::Ungraceful,
            },
            objectives: Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) },
            topology: Topology::new(&serde_json::from_value(spec())?)?,
            facts: Inventory::default(),
        })
    }

    /// The plan: each step waits for two earlier ones, its neighbour ten before and one far behind.
    pub(crate) fn build(&self) -> std::result::Result<Plan, InvalidPlan> {
        let region = &self.goal.to;
        let mut builder = PlanBuilder::new(self.application.clone(), self.goal.clone(), self.objectives);
        for place in 0..STEPS {
            let mut step = builder.step(&format!("s{place}"), &Act, region).title("act").phase(Phase::Scale);
            if place >= 10 {
                step = step.after(&format!("s{}", place - 10)).after(&format!("s{}", place / 2));
            }
            step.region(region);
        }
        builder.build()
    }

    /// How many findings lint has of the plan.
    pub(crate) fn lint(&self, plan: &Plan) -> usize {
        std::hint::black_box(lint(&LintInput::new(plan, &self.topology, &self.facts))).findings.len()
    }
}
