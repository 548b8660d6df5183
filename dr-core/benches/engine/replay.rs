use std::{sync::Arc, time::Duration};

use dr_core::{
    engine::{NewRun, RunView},
    error::{Error, ErrorKind, Failure},
    journal::{Entry, Intent, Journal as _, Outcome as Ended, Seq, SqliteJournal, audit},
    model::OwnerId,
    time::{SharedClock, SystemClock},
};
use serde_json::json;

use crate::{Outcome, cpu, dag::Layers, measure::Measure, noop, peer};

const STEPS: usize = 1_000;
/// Attempts of each step; all but the last fail.
const ATTEMPTS: u32 = 25;
const ROUNDS: usize = 5;
/// Records a CPU-second.
const GOAL: f64 = 500_000.0;

/// How fast an engine that takes a run up reads what happened: decoded from SQLite and folded; and how fast the chain of
/// its records is verified.
pub(crate) fn measure() -> Outcome {
    let layers = Layers::chain(STEPS);
    let plan = noop::plan(&layers.after(), |_| 0)?;
    let dir = tempfile::tempdir()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let run = noop::run_id()?;
    let journal = runtime.block_on(async {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let journal = Arc::new(SqliteJournal::open(dir.path().join("journal.sqlite"), clock.clone()).await?);
        noop::engine(journal.clone(), clock)?.create(NewRun::new(run.clone(), plan.clone())).await?;
        let lease = journal.acquire(&run, &OwnerId::new("bench")?, Duration::from_secs(3600)).await?;
        let mut seq = Seq(1);
        for step in plan.steps() {
            let records = (1..=ATTEMPTS).flat_map(|attempt| {
                let intent = Intent { step: step.id.clone(), attempt, before: None, params: json!(0) };
                let outcome = if attempt < ATTEMPTS {
                    let error = Error::new(ErrorKind::Unavailable, "the far side is busy, as it so often is");
                    Ended::Failed { failure: Failure::from(error) }
                } else {
                    Ended::Done { output: json!({ "arn": "arn:aws:rds:eu-west-1:0:cluster:orders" }), already: false }
                };
                [Entry::StepIntent(intent), Entry::StepOutcome { step: step.id.clone(), attempt, outcome }]
            });
            seq = journal.append(&lease, seq, records.collect()).await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(journal)
    })?;

    let (mut folded, mut verified) = (Vec::new(), Vec::new());
    for _ in 0..=ROUNDS {
        let (cpu, view) = cpu::seconds(|| Ok(runtime.block_on(RunView::load(&*journal, &run))?))?;
        if !view.steps().all(|(_, step)| step.settled()) {
            return Err("the replayed run is not what was written".into());
        }
        folded.push(view.seq().0 as f64 / cpu);
        let (cpu, audit) = cpu::seconds(|| Ok(runtime.block_on(audit(&*journal, &run))?))?;
        verified.push(audit.records as f64 / cpu);
    }
    let replay = Measure::higher("replay from SQLite", cpu::median(folded), "records/CPU-s").goal(GOAL);
    match peer::replay(&layers)? {
        // It takes in events without an order, without digests, and from memory.
        Some((peer, rate)) => replay.peer(&format!("{peer}, events in memory"), rate).print(),
        None => replay.print(),
    }
    Measure::higher("chain verified from SQLite", cpu::median(verified), "records/CPU-s").print();
    Ok(())
}
