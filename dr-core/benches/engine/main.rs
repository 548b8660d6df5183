//! What the engine costs: syncs and CPU a step, the way over a plan's critical path, replay, and planning.
//!
//! Where a peer does the same work, `cargo xtask bench engine` builds it and hands its program over in `DR_BENCH_PEER`;
//! it then runs between our own rounds, in the same call, on the same machine.

mod cpu;
mod critical;
mod dag;
#[path = "../large_plan/mod.rs"]
mod large_plan;
#[path = "../measure/mod.rs"]
mod measure;
mod noop;
mod peer;
mod planning;
#[path = "../cpu/mod.rs"]
mod processor;
mod replay;
mod runs;
mod slow_journal;
mod syncs;

/// Whatever went wrong ends the benchmark.
type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome {
    syncs::measure()?;
    runs::measure()?;
    critical::measure()?;
    replay::measure()?;
    planning::measure()
}
