//! How long a large plan takes to be built, judged by lint, stored and read back, and its critical path to be found.
//!
//! Ten thousand steps is a hundred times what a platform needs: planning must never be what a failover waits for.

#[path = "large_plan/mod.rs"]
mod large_plan;

use std::hint::black_box;

use dr_core::{
    model::StepId,
    plan::Plan,
    report::{Offset, Span, critical_path},
    time::{Clock as _, SystemClock},
};
use large_plan::Material;
use serde_json::json;

const ROUNDS: usize = 7;

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let material = Material::new()?;
    let plan = material.build()?;
    measure("plan of 10,000 steps: build, check, digest", 2_000.0, || {
        black_box(material.build()).map(drop).map_err(Into::into)
    })?;

    measure("plan of 10,000 steps: lint", 2_000.0, || {
        black_box(material.lint(&plan));
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
