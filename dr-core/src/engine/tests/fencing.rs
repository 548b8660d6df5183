//! Two engines, one run.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::world::{Bench, TurnOn, builder, drive, params, run_id, watch};
use crate::{
    engine::{Engine, NewRun, RunState},
    error::{Error, ErrorKind, Result},
    journal::{Entry, Journal, Lease, MemoryJournal, Record, Request, RequestId, Seq, Submitted},
    model::{OwnerId, RunId},
    time::Clock as _,
};

/// A journal that can be cut off from one engine.
#[derive(Debug)]
struct Cut {
    inner: MemoryJournal,
    cut: AtomicBool,
}

impl Cut {
    fn check(&self) -> Result<()> {
        if self.cut.load(Ordering::SeqCst) {
            return Err(Error::new(ErrorKind::Storage, "no route to the store"));
        }
        Ok(())
    }
}

#[async_trait]
impl Journal for Cut {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        self.inner.acquire(run, owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.check()?;
        self.inner.renew(lease, ttl).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.inner.release(lease).await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        self.check()?;
        self.inner.append(lease, expect, entries).await
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        self.inner.read(run, after)
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        self.inner.open_runs().await
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        self.inner.runs().await
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        self.inner.submit(run, request).await
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        self.inner.requests(run, after).await
    }
}

async fn epochs(bench: &Bench) -> Vec<u64> {
    use futures::TryStreamExt as _;
    let records: Vec<Record> = bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap();
    records.iter().map(|record| record.epoch.0).collect()
}

#[tokio::test]
async fn a_run_that_is_held_is_refused_and_told_by_whom() {
    let bench = Bench::new();
    let mut plan = builder();
    plan.step("a", &TurnOn(bench.world.clone()), &params("a", 60_000));
    let (first, second) = (bench.engine(), bench.builder("engine-2").build());
    first.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let run = run_id();
    let intruder = async {
        bench.world.clock.sleep(Duration::from_secs(50)).await;
        let error = second.run(&run).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Conflict);
        assert!(error.message().contains("engine-1"), "{error}");
        let here = first.run(&run).await.unwrap_err();
        assert!(here.message().contains("works on run run-1 already"), "{here}");
    };
    let (view, ()) = bench.drive(async { tokio::join!(first.run(&run), intruder) }).await;
    assert_eq!(view.unwrap().state(), RunState::Completed, "a lease that is renewed outlives its length");
}

#[tokio::test]
async fn an_engine_without_its_journal_stops_before_its_lease_lapses_and_another_takes_over() {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 120_000));
    plan.step("b", &act, &params("b", 0)).after("a");
    let cut = Arc::new(Cut { inner: bench.journal.clone(), cut: AtomicBool::new(false) });
    let (sink, mut heard) = watch();
    let first = Engine::builder(Arc::clone(&cut) as _, bench.world.registry(), bench.world.shared_clock())
        .owner(OwnerId::new("engine-1").unwrap())
        .events(sink)
        .build();
    let second = bench.builder("engine-2").patience(Duration::from_secs(600)).build();
    first.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let run = run_id();
    let partition = async {
        bench.world.clock.sleep(Duration::from_secs(35)).await;
        cut.cut.store(true, Ordering::SeqCst);
        second.run(&run).await.unwrap()
    };
    let (held, completed) = bench
        .drive(async {
            tokio::join!(
                async {
                    let view = first.run(&run).await.unwrap();
                    (view, bench.world.clock.monotonic().since_origin())
                },
                partition
            )
        })
        .await;
    let (view, when) = held;
    assert_eq!(view.state(), RunState::Held);
    assert!(heard().iter().any(|line| line == "run-held"));
    // Renewed last at 30 s, for 30 s, of which it counts on 25 s.
    assert_eq!(when, Duration::from_secs(55));
    assert_eq!(completed.state(), RunState::Completed);
    assert_eq!(bench.world.effects(), ["on a", "on b"]);
    let epochs = epochs(&bench).await;
    assert!(epochs.is_sorted() && epochs.first() < epochs.last(), "{epochs:?}");
}

/// A process that is stopped, and goes on after another has taken its run over, as if nothing had happened.
#[test]
fn an_engine_that_wakes_up_stale_starts_no_effect_and_writes_nothing() {
    let runtime = || tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (stopped, other) = (runtime(), runtime());
    let bench = Bench::new();
    // The first engine looks, sees nothing, and is stopped before it has the answer.
    bench.world.slow_observation("a", Duration::from_secs(5));
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 0));
    plan.step("b", &act, &params("b", 0)).after("a");
    let first = bench.engine();
    let second = bench.builder("engine-2").patience(Duration::from_secs(600)).build();
    let run = run_id();
    stopped.block_on(first.create(NewRun::new(run.clone(), plan.build().unwrap()))).unwrap();
    let mut work = Box::pin(first.run(&run));
    stopped.block_on(drive(&bench.world.clock, async {
        tokio::select! {
            _ = &mut work => panic!("it was to be stopped"),
            () = bench.world.clock.sleep(Duration::from_secs(2)) => {}
        }
    }));
    bench.world.slow_observation("a", Duration::ZERO);
    // Its runtime stands still from here; time does not.
    let view = other.block_on(drive(&bench.world.clock, second.run(&run))).unwrap();
    assert_eq!(view.state(), RunState::Completed);
    let written = other.block_on(epochs(&bench));
    let view = stopped.block_on(drive(&bench.world.clock, work)).unwrap();
    assert_eq!(view.state(), RunState::Held);
    assert_eq!(bench.world.effects(), ["on a", "on b"]);
    assert_eq!(bench.world.attempts().iter().map(|(_, _, epoch)| *epoch).collect::<Vec<_>>(), [3, 3]);
    assert_eq!(other.block_on(epochs(&bench)), written);
}
