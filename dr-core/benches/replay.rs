//! How many records of a long run a core reads from SQLite, verifies, decodes and folds in a second of its time.
//!
//! A restarted engine does this before it can do anything else. Counted is the processor's time of all threads, so that the
//! journal's own thread is not forgotten and a busy machine does not show.

#[path = "cpu/mod.rs"]
mod cpu;

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_core::{
    engine::RunView,
    error::Result,
    journal::{Entry, Intent, Journal, Outcome, Seq, SqliteJournal, audit},
    model::{ApplicationId, Objectives, OwnerId, RegionId, RunId, StepId},
    plan::{Call, Goal, GoalKind, Inventory, Mode, Plan, PlanBuilder},
    step::{Observed, Reversibility, Step, StepCx},
    time::SystemClock,
};
use futures::TryStreamExt as _;
use serde_json::{Value, json};

type Fallible<T> = std::result::Result<T, Box<dyn std::error::Error>>;

const ROUNDS: usize = 7;

#[derive(Debug)]
struct Act;

#[async_trait]
impl Step for Act {
    const KIND: &'static str = "bench.act";
    type Params = Value;
    type Output = Value;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, _: &Value) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &Value) -> Result<Observed<Value>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, _: &StepCx, _: &Value) -> Result<Value> {
        Ok(Value::Null)
    }

    async fn compensate(&self, _: &StepCx, _: &Value, _: Option<&Value>) -> Result<()> {
        Ok(())
    }
}

fn params(step: u64) -> Value {
    json!({ "deployment": format!("service-{step}"), "region": "eu-west-1", "replicas": 12 })
}

fn plan(steps: u64) -> Fallible<Plan> {
    let goal = Goal {
        kind: GoalKind::Failover,
        from: RegionId::new("us-east-1")?,
        to: RegionId::new("eu-west-1")?,
        mode: Mode::Ungraceful,
    };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let mut builder = PlanBuilder::new(ApplicationId::new("bench")?, goal, objectives);
    for step in 0..steps {
        builder.step(&format!("service-{step}/scale"), &Act, &params(step));
    }
    Ok(builder.build()?)
}

/// A run in which every step was attempted `attempts` times.
async fn written(journal: &SqliteJournal, run: &RunId, steps: u64, attempts: u32) -> Fallible<u64> {
    let owner = OwnerId::new("bench")?;
    let lease = journal.acquire(run, &owner, Duration::from_secs(60)).await?;
    let created = Entry::RunCreated {
        plan: Box::new(plan(steps)?),
        inventory: Box::new(Inventory::default()),
        findings: Vec::new(),
        waivers: Vec::new(),
        unattended: None,
        by: owner.clone(),
    };
    let mut end = journal.append(&lease, Seq(0), vec![created, Entry::EngineStarted { owner }]).await?;
    for attempt in 1..=attempts {
        let mut entries = Vec::new();
        for step in 0..steps {
            let id = StepId::new(format!("service-{step}/scale"))?;
            let before = (attempt == 1).then(|| json!({ "replicas": 3 }));
            entries.push(Entry::StepIntent(Intent { step: id.clone(), attempt, before, params: params(step) }));
            let outcome = Outcome::Done { output: json!({ "replicas": 12, "ready": 12 }), already: false };
            entries.push(Entry::StepOutcome { step: id, attempt, outcome });
        }
        end = journal.append(&lease, end, entries).await?;
    }
    Ok(end.0)
}

async fn measure<F, Fut>(name: &str, records: u64, round: F) -> Fallible<()>
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<()>>,
{
    round().await?;
    let mut rates = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let before = cpu::spent();
        round().await?;
        rates.push(records as f64 / (cpu::spent() - before).as_secs_f64());
    }
    rates.sort_by(f64::total_cmp);
    let median = rates.get(ROUNDS / 2).copied().unwrap_or_default();
    println!("{}", json!({"name": name, "value": median.round(), "unit": "records/CPU-s", "better": "higher"}));
    Ok(())
}

async fn bench(path: &Path) -> Fallible<()> {
    let journal = SqliteJournal::open(path, Arc::new(SystemClock::new())).await?;
    for (name, steps, attempts) in [("1,000 steps, 50 attempts each", 1_000, 50), ("10,000 steps", 10_000, 1)] {
        let run = &RunId::new(format!("bench-{steps}"))?;
        let records = written(&journal, run, steps, attempts).await?;
        let journal = &journal;
        if steps == 1_000 {
            measure("read and decode", records, || async move {
                journal.read(run, Seq(1)).try_for_each(|_| async { Ok(()) }).await
            })
            .await?;
            measure("read, decode and verify", records, || async move { audit(journal, run).await.map(drop) }).await?;
        }
        let title = format!("replay of {name}: read, decode, verify, fold");
        measure(&title, records, || async move { RunView::load(journal, run).await.map(drop) }).await?;
    }
    Ok(())
}

fn main() -> Fallible<()> {
    let directory = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(bench(&directory.path().join("journal.sqlite")))
}
