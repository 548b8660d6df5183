use std::sync::Arc;

use dr_core::{
    engine::{NewRun, RunState},
    journal::{Journal, MemoryJournal, SqliteJournal},
    plan::Plan,
    time::{SharedClock, SystemClock},
};

use crate::{Outcome, cpu, dag::Layers, measure::Measure, noop, peer};

const ROUNDS: usize = 5;
/// A tenth of a millisecond.
const GOAL_US: f64 = 100.0;

/// CPU a step of whole runs, created and run to their end; where it can do it, beside our peer's on the same graph.
pub(crate) fn measure() -> Outcome {
    for layers in [Layers::chain(100), Layers::chain(1_000), Layers::fan(1_000)] {
        let in_memory = in_memory(&layers)?;
        let Some(peer) = peer::runs(&layers)? else {
            in_memory.print();
            continue;
        };
        let a_step = in_memory.value();
        in_memory.peer(&format!("{}, events kept", peer.name), peer.kept_us).print();
        // What the peer costs when its store throws away what it is given; ours never does.
        let discarded = format!("{}, events discarded", peer.name);
        Measure::lower(format!("the same, {} of {} steps", layers.name, layers.steps()), a_step, "µs")
            .peer(&discarded, peer.discarded_us)
            .print();
    }
    // Here the peer cannot follow: for each node it gathers the outputs of all that came before along every path there
    // is, and in a graph of layers there are more paths than anybody can wait for.
    for layers in [Layers::random(1_000, 1), Layers::random(10_000, 2)] {
        in_memory(&layers)?.print();
    }
    // With the syncs that a disk wants, which the system does on our account.
    for layers in [Layers::chain(1_000), Layers::random(1_000, 1)] {
        let dir = tempfile::tempdir()?;
        let a_step = rounds(&noop::plan(&layers.after(), |_| 0)?, Some(dir.path()))?;
        Measure::lower(format!("engine and SQLite, CPU a step, {}", layers.name), a_step, "µs").print();
    }
    Ok(())
}

fn in_memory(layers: &Layers) -> Outcome<Measure> {
    let a_step = rounds(&noop::plan(&layers.after(), |_| 0)?, None)?;
    let name = format!("engine CPU a step, {} of {} steps, in memory", layers.name, layers.steps());
    Ok(Measure::lower(name, a_step, "µs").goal(GOAL_US))
}

/// The median CPU a step in microseconds, after a round that warms up.
fn rounds(plan: &Plan, dir: Option<&std::path::Path>) -> Outcome<f64> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rounds = Vec::new();
    for round in 0..=ROUNDS {
        let clock: SharedClock = Arc::new(SystemClock::new());
        let journal: Arc<dyn Journal> = match dir {
            None => Arc::new(MemoryJournal::new(clock.clone())),
            Some(dir) => {
                let file = dir.join(format!("{round}.sqlite"));
                Arc::new(runtime.block_on(SqliteJournal::open(file, clock.clone()))?)
            }
        };
        let engine = noop::engine(journal, clock)?;
        let (run, plan) = (noop::run_id()?, plan.clone());
        let (cpu, view) = cpu::seconds(|| {
            runtime.block_on(async {
                engine.create(NewRun::new(run.clone(), plan)).await?;
                Ok(engine.run(&run).await?)
            })
        })?;
        if view.state() != RunState::Completed {
            return Err(format!("the run is {}", view.state()).into());
        }
        if round > 0 {
            rounds.push(cpu * 1e6 / view.plan().steps().len() as f64);
        }
    }
    Ok(cpu::median(rounds))
}
