//! A machine that is suspended, and clocks that jump.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::BoxFuture;

use super::world::{Bench, TurnOn, builder, drive, params, run_id};
use crate::{
    engine::{Engine, NewRun, RunState},
    journal::{Entry, Journal as _, MemoryJournal, Record, Seq},
    model::OwnerId,
    plan::PlanBuilder,
    time::{Clock, ManualClock, Monotonic, SharedClock, Timestamp},
};

/// The clock of one machine: its wall moves on while it is suspended, its monotonic clock does not, as on Linux; and
/// somebody may set the wall.
#[derive(Clone, Debug)]
struct Machine {
    inner: ManualClock,
    wall_ms: Arc<Mutex<i64>>,
}

impl Machine {
    fn new(inner: &ManualClock) -> Self {
        Self { inner: inner.clone(), wall_ms: Arc::default() }
    }

    fn shift_wall(&self, ms: i64) {
        *self.wall_ms.lock().unwrap() += ms;
    }
}

impl Clock for Machine {
    fn wall(&self) -> Timestamp {
        Timestamp::from_millis(self.inner.wall().as_millis() + *self.wall_ms.lock().unwrap())
    }

    fn monotonic(&self) -> Monotonic {
        self.inner.monotonic()
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        self.inner.sleep(d)
    }
}

const HOUR_MS: i64 = 3_600_000;

fn plan(bench: &Bench) -> PlanBuilder {
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.deadline(Duration::from_secs(600));
    plan.step("a", &act, &params("a", 1_000));
    plan.step("b", &act, &params("b", 1_000)).after("a");
    plan
}

fn engine(bench: &Bench, machine: &Machine) -> Engine {
    let clock: SharedClock = Arc::new(machine.clone());
    let journal = Arc::new(bench.journal.clone());
    Engine::builder(journal, bench.world.registry(), clock).owner(OwnerId::new("suspended").unwrap()).build()
}

async fn records(bench: &Bench) -> Vec<Record> {
    use futures::TryStreamExt as _;
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

#[tokio::test]
async fn wall_clocks_that_jump_change_no_decision() {
    for jump in [HOUR_MS, -HOUR_MS] {
        let bench = Bench::new();
        // So that an hour back is still a moment after the epoch.
        bench.world.clock.advance(Duration::from_secs(7200));
        let machine = Machine::new(&bench.world.clock);
        let engine = engine(&bench, &machine);
        engine.create(NewRun::new(run_id(), plan(&bench).build().unwrap())).await.unwrap();
        let jumping = async {
            bench.world.clock.sleep(Duration::from_millis(500)).await;
            machine.shift_wall(jump);
        };
        let run = run_id();
        let (view, ()) = bench.drive(async { tokio::join!(engine.run(&run), jumping) }).await;
        // An hour is far beyond the plan's deadline of ten minutes, and beyond the lease.
        assert_eq!(view.unwrap().state(), RunState::Completed, "{jump}");
        assert_eq!(bench.world.effects(), ["on a", "on b"]);
    }
}

#[test]
fn after_a_suspension_nobody_acts_before_the_journal_has_said_whose_run_it_is() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (suspended, other) = (runtime(), runtime());
    let world = super::world::World::new();
    // The store is on another machine, whose clock goes on.
    let (store, machine) = (Machine::new(&world.clock), Machine::new(&world.clock));
    let bench = Bench { journal: MemoryJournal::new(Arc::new(store.clone())), world };
    // The engine looks, sees nothing, and its machine is suspended before it acts.
    bench.world.slow_observation("a", Duration::from_secs(5));
    let first = engine(&bench, &machine);
    let run = run_id();
    suspended.block_on(first.create(NewRun::new(run.clone(), plan(&bench).build().unwrap()))).unwrap();
    let mut work = Box::pin(first.run(&run));
    suspended.block_on(drive(&bench.world.clock, async {
        tokio::select! {
            _ = &mut work => panic!("it was to be suspended"),
            () = bench.world.clock.sleep(Duration::from_secs(2)) => {}
        }
    }));
    bench.world.slow_observation("a", Duration::ZERO);
    // Elsewhere an hour passes: the lease lapses, and another engine does all there is to do.
    store.shift_wall(HOUR_MS);
    let second = bench.builder("engine-2").build();
    let view = other.block_on(drive(&bench.world.clock, second.run(&run))).unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let written = other.block_on(records(&bench)).len();
    // Back here the monotonic clock says that seconds have passed, and the lease has not lapsed by it.
    machine.shift_wall(HOUR_MS);
    let view = suspended.block_on(drive(&bench.world.clock, work)).unwrap();
    assert_eq!(view.state(), RunState::Held);
    assert_eq!(bench.world.attempts().len(), 2, "its call was never made: {:?}", bench.world.attempts());
    let records = other.block_on(records(&bench));
    assert_eq!(records.len(), written);
    assert!(matches!(records.last().map(|record| &record.entry), Some(Entry::RunEnded { .. })));
}
