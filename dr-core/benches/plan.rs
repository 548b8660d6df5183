//! How long a large plan takes to be built, judged by lint, stored and read back, and its critical path to be found.
//!
//! Ten thousand steps is a hundred times what a platform needs: planning must never be what a failover waits for.

use std::{hint::black_box, time::Duration};

use async_trait::async_trait;
use dr_core::{
    error::Result,
    lint::{LintInput, lint},
    model::{ApplicationId, Objectives, Plane, RegionId, StepId},
    plan::{Call, Goal, GoalKind, Inventory, Mode, Phase, Plan, PlanBuilder},
    report::{Offset, Span, critical_path},
    step::{Observed, Reversibility, Step, StepCx},
    time::{Clock as _, SystemClock},
    topology::Topology,
};
use serde_json::{Value, json};

const STEPS: usize = 10_000;
const ROUNDS: usize = 7;

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

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let goal = Goal {
        kind: GoalKind::Failover,
        from: RegionId::new("us-east-1")?,
        to: RegionId::new("eu-west-1")?,
        mode: Mode::Ungraceful,
    };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let application = ApplicationId::new("bench")?;

    let region = goal.to.clone();
    let topology = Topology::new(&serde_json::from_value(spec())?)?;
    let facts = Inventory::default();

    // Each step waits for two earlier ones: its neighbour ten before, and one far behind.
    let build = || {
        let mut builder = PlanBuilder::new(application.clone(), goal.clone(), objectives);
        for place in 0..STEPS {
            let mut step = builder.step(&format!("s{place}"), &Act, &region).title("act").phase(Phase::Scale);
            if place >= 10 {
                step = step.after(&format!("s{}", place - 10)).after(&format!("s{}", place / 2));
            }
            step.region(&region);
        }
        builder.build()
    };
    let plan = build()?;
    measure("plan of 10,000 steps: build, check, digest", 2_000.0, || {
        black_box(build()).map(drop).map_err(Into::into)
    })?;

    measure("plan of 10,000 steps: lint", 2_000.0, || {
        black_box(lint(&LintInput::new(&plan, &topology, &facts)));
        Ok(())
    })?;

    let stored = serde_json::to_string(&plan)?;
    measure("plan of 10,000 steps: read back and checked", 2_000.0, || {
        black_box(serde_json::from_str::<Plan>(&stored)).map(drop).map_err(Into::into)
    })?;

    let ids: Vec<StepId> = plan.steps().iter().map(|step| step.id.clone()).collect();
    let spans: Vec<Span<'_>> = (0_u32..)
        .zip(plan.steps())
        .zip(&ids)
        .map(|((place, step), id)| Span {
            id,
            started: Offset::from_secs(f64::from(place)),
            ended: Offset::from_secs(f64::from(place) + 9.5),
            after: &step.after,
        })
        .collect();
    measure("run of 10,000 steps: critical path", 100.0, || {
        black_box(critical_path(&spans));
        Ok(())
    })
}

/// Prints the median of a few rounds, after one that warms up.
fn measure(
    name: &str,
    goal_ms: f64,
    mut round: impl FnMut() -> std::result::Result<(), Box<dyn std::error::Error>>,
) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let clock = SystemClock::new();
    round()?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = clock.monotonic();
        round()?;
        rounds.push(clock.monotonic().since(began).as_secs_f64() * 1000.0);
    }
    rounds.sort_by(f64::total_cmp);
    let median = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("{}", json!({"name": name, "value": median, "unit": "ms", "better": "lower", "goal": goal_ms}));
    Ok(())
}
