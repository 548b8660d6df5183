use std::{future::Future, pin::pin, sync::Arc, task::Poll, time::Duration};

use dr_core::{
    engine::{NewRun, RunState},
    journal::{Journal, MemoryJournal},
    plan::Plan,
    report::{Offset, Span, critical_path},
    time::{Clock as _, ManualClock, SharedClock},
};

use crate::{Outcome, dag, measure::Measure, noop, slow_journal::SlowJournal};

const STEPS: usize = 1_000;
const SEEDS: u64 = 10;

/// How much longer than its critical path a run of 1,000 steps takes, in virtual time: the worst of a few random graphs.
pub(crate) fn measure() -> Outcome {
    // Five milliseconds are a slow disk's sync.
    for (append, of) in [(Duration::ZERO, "appends at once"), (Duration::from_millis(5), "appends of 5 ms")] {
        let mut worst = 0.0_f64;
        for seed in 0..SEEDS {
            let (after, takes) = dag::random(STEPS, seed);
            let plan = noop::plan(&after, |at| takes.get(at).copied().unwrap_or_default())?;
            let shortest = shortest(&plan, &takes);
            let took = virtual_seconds(plan, append)?;
            worst = worst.max((took / shortest - 1.0) * 100.0);
        }
        Measure::lower(format!("time over the critical path, {of}"), worst, "%").goal(0.1).print();
    }
    Ok(())
}

/// The length of the plan's critical path in seconds, from the durations alone.
fn shortest(plan: &Plan, takes: &[u64]) -> f64 {
    let mut ends = std::collections::BTreeMap::new();
    let mut spans = Vec::new();
    for (step, takes) in plan.steps().iter().zip(takes) {
        let starts = step.after.iter().filter_map(|before| ends.get(before)).copied().max().unwrap_or(0);
        ends.insert(step.id.clone(), starts + takes);
        let at = |ms: u64| Offset::from_secs(Duration::from_millis(ms).as_secs_f64());
        spans.push(Span { id: &step.id, started: at(starts), ended: at(starts + takes), after: &step.after });
    }
    let path = critical_path(&spans);
    let length = |span: &&Span<'_>| span.ended.since(span.started);
    spans.iter().filter(|span| path.contains(&span.id)).map(|span| length(&span)).sum()
}

/// How long the run takes on a clock that moves only when nothing else can happen.
fn virtual_seconds(plan: Plan, append: Duration) -> Outcome<f64> {
    let clock = ManualClock::new();
    let shared: SharedClock = Arc::new(clock.clone());
    let journal: Arc<dyn Journal> =
        Arc::new(SlowJournal::new(MemoryJournal::new(shared.clone()), append, shared.clone()));
    let engine = noop::engine(journal, shared)?;
    let run = noop::run_id()?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    runtime.block_on(async {
        drive(&clock, engine.create(NewRun::new(run.clone(), plan))).await??;
        let began = clock.monotonic();
        let view = drive(&clock, engine.run(&run)).await??;
        if view.state() != RunState::Completed {
            return Err(format!("the run is {}", view.state()).into());
        }
        Ok(clock.monotonic().since(began).as_secs_f64())
    })
}

/// Polls a future and moves the clock to the next sleeper whenever nothing else can happen.
async fn drive<F: Future>(clock: &ManualClock, future: F) -> Outcome<F::Output> {
    let mut future = pin!(future);
    loop {
        // Each yield lets every task that is ready go on; a chain of wake-ups through engine and attempt is far shorter.
        for _ in 0..32 {
            if let Poll::Ready(output) = futures::poll!(&mut future) {
                return Ok(output);
            }
            tokio::task::yield_now().await;
        }
        if !clock.advance_to_next() {
            return Err("nothing can happen any more".into());
        }
    }
}
