//! How long a large plan takes to be built, judged by lint, stored and read back, and its critical path to be found.
//!
//! Ten thousand steps is a hundred times what a platform needs: planning must never be what a failover waits for.

#[path = "large_plan/mod.rs"]
mod large_plan;

use std::hint::black_box;

use dr_core::{
    model::StepId,
    plan::{Plan, PlanBuilder},
    report::{Offset, Span, critical_path},
};
use large_plan::Material;
use serde_json::json;

const ROUNDS: usize = 7;

type Fallible<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> Fallible<()> {
    let material = Material::new()?;
    let plan = material.build()?;
    let building = measure("plan of 10,000 steps: build, check, digest", None, || {
        black_box(material.build()).map(drop).map_err(Into::into)
    })?;
    let judging = measure("plan of 10,000 steps: lint", None, || {
        black_box(material.lint(&plan));
        Ok(())
    })?;
    print("plan of 10,000 steps: build and lint", building + judging, Some(50.0));
    measure("plan of 10,000 steps: taken in as a child", None, || {
        let mut parent = PlanBuilder::new(plan.application().clone(), plan.goal().clone(), *plan.objectives());
        parent.child("child", &plan);
        black_box(parent.build()).map(drop).map_err(Into::into)
    })?;

    let stored = serde_json::to_string(&plan)?;
    measure("plan of 10,000 steps: read back and checked", None, || {
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
    measure("run of 10,000 steps: critical path", Some(100.0), || {
        black_box(critical_path(&spans));
        Ok(())
    })?;
    Ok(())
}

/// Processor time of this thread so far, in milliseconds: what the plan costs, however busy the machine is.
fn cpu() -> Fallible<f64> {
    let spent = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanos: f64 = spent.split_whitespace().next().ok_or("an empty schedstat")?.parse()?;
    Ok(nanos / 1e6)
}

/// Prints, and returns, the median of a few rounds, after one that warms up.
fn measure(name: &str, goal: Option<f64>, mut round: impl FnMut() -> Fallible<()>) -> Fallible<f64> {
    round()?;
    let mut rounds = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = cpu()?;
        round()?;
        rounds.push(cpu()? - began);
    }
    rounds.sort_by(f64::total_cmp);
    let median = rounds.get(ROUNDS / 2).copied().unwrap_or_default();
    print(name, median, goal);
    Ok(median)
}

fn print(name: &str, value: f64, goal: Option<f64>) {
    let measure = json!({"name": name, "value": value, "unit": "CPU-ms", "better": "lower", "goal": goal});
    println!("{measure}");
}
