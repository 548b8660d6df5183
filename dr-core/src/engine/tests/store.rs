//! A journal's store that fails for a moment: the run goes on, and nothing is written twice.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};

use super::world::{Bench, TurnOn, builder, params, run_id};
use crate::{
    engine::{Engine, NewRun, RunState, RunView},
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Journal, Lease, MemoryJournal, Record, Request, RequestId, Seq, Submitted},
    model::{OwnerId, RunId},
    time::{Clock as _, SharedClock},
};

/// How one append goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hiccup {
    /// Not written, and said so.
    Lost,
    /// Written, and the reply is lost.
    ReplyLost,
    /// Written only after this long, though the writer was told that it failed.
    Late(Duration),
    /// Somebody else wrote meanwhile.
    Stolen,
}

/// A journal whose next appends go wrong.
#[derive(Debug)]
struct Shaky {
    inner: MemoryJournal,
    clock: SharedClock,
    next: Mutex<Vec<Hiccup>>,
    unreadable: bool,
}

#[async_trait]
impl Journal for Shaky {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        self.inner.acquire(run, owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.inner.renew(lease, ttl).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.inner.release(lease).await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        // The first two records are the run's creation and the engine's.
        let hiccup = if expect.0 < 2 { None } else { self.next.lock().unwrap().pop() };
        let storage = |effect| Err(Error::new(ErrorKind::Storage, "the disk is away").with_effect(effect));
        match hiccup {
            None => self.inner.append(lease, expect, entries).await,
            Some(Hiccup::Lost) => storage(Effect::NotApplied),
            Some(Hiccup::ReplyLost) => {
                self.inner.append(lease, expect, entries).await?;
                storage(Effect::Indefinite)
            }
            Some(Hiccup::Late(after)) => {
                let (inner, clock, lease) = (self.inner.clone(), self.clock.clone(), lease.clone());
                tokio::spawn(async move {
                    clock.sleep(after).await;
                    let _ = inner.append(&lease, expect, entries).await;
                });
                storage(Effect::Indefinite)
            }
            Some(Hiccup::Stolen) => {
                let note = Entry::Note { topic: "intruder".to_owned(), value: serde_json::Value::Null };
                self.inner.append(lease, expect, vec![note]).await?;
                storage(Effect::Indefinite)
            }
        }
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        if self.unreadable && after.0 > 0 {
            return futures::stream::once(async { Err(Error::new(ErrorKind::Storage, "unreadable")) }).boxed();
        }
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

async fn run_with(hiccups: &[Hiccup], unreadable: bool) -> (Bench, RunView) {
    let bench = Bench::new();
    let act = TurnOn(bench.world.clone());
    let mut plan = builder();
    plan.step("a", &act, &params("a", 1_000));
    plan.step("b", &act, &params("b", 1_000)).after("a");
    let next = Mutex::new(hiccups.iter().rev().copied().collect());
    let clock = bench.world.shared_clock();
    let journal = Arc::new(Shaky { inner: bench.journal.clone(), clock: clock.clone(), next, unreadable });
    let engine = Engine::builder(journal, bench.world.registry(), clock).build();
    engine.create(NewRun::new(run_id(), plan.build().unwrap())).await.unwrap();
    let view = bench.drive(engine.run(&run_id())).await.unwrap();
    (bench, view)
}

async fn records(bench: &Bench) -> Vec<Record> {
    use futures::TryStreamExt as _;
    bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap()
}

#[tokio::test]
async fn a_store_that_fails_for_a_moment_costs_no_run() {
    let late = Hiccup::Late(Duration::from_millis(150));
    for hiccups in [
        vec![Hiccup::Lost],
        vec![Hiccup::ReplyLost],
        vec![late],
        vec![Hiccup::Lost, Hiccup::Lost, Hiccup::ReplyLost, Hiccup::Lost, late, Hiccup::ReplyLost],
    ] {
        let (bench, view) = run_with(&hiccups, false).await;
        assert_eq!(view.state(), RunState::Completed, "{hiccups:?}");
        assert_eq!(bench.world.effects(), ["on a", "on b"], "{hiccups:?}");
        // Created, started, two intents, two outcomes, the end: each once, whatever was lost on the way.
        let records = records(&bench).await;
        assert_eq!(records.len(), 7, "{hiccups:?}");
        assert_eq!(RunView::load(&bench.journal, &run_id()).await.unwrap().seq(), view.seq());
    }
}

#[tokio::test]
async fn a_store_that_stays_away_holds_the_run_before_the_lease_lapses() {
    let (bench, view) = run_with(&[Hiccup::Lost; 1000], false).await;
    assert_eq!(view.state(), RunState::Held);
    assert!(view.held().unwrap().contains("the disk is away"), "{:?}", view.held());
    assert!(bench.world.clock.monotonic().since_origin() <= Duration::from_secs(10), "a third of the lease");
    assert!(bench.world.effects().is_empty(), "no intent, no effect");
}

#[tokio::test]
async fn a_record_of_somebody_else_is_never_taken_for_ours() {
    let (bench, view) = run_with(&[Hiccup::Stolen], false).await;
    assert_eq!(view.state(), RunState::Held);
    assert!(bench.world.effects().is_empty());
    assert_eq!(records(&bench).await.len(), 3);
}

#[tokio::test]
async fn a_reply_that_is_lost_and_cannot_be_looked_up_holds_the_run() {
    let (bench, view) = run_with(&[Hiccup::ReplyLost], true).await;
    assert_eq!(view.state(), RunState::Held, "the next append collides, and nobody can say with what");
    assert!(bench.world.effects().is_empty());
}
