//! Processes that die, at every record and at every moment.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use tokio::sync::Notify;

use super::world::{Bench, Promote, TurnOn, Wrong, builder, drive, params, run_id};
use crate::{
    engine::{AutoApprove, Engine, NewRun, RunState, RunView},
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Journal, Lease, MemoryJournal, Record, Request, RequestId, Seq, Submitted, audit},
    model::{OwnerId, RunId},
    plan::Plan,
    time::Clock as _,
};

/// What the journal does at the append at which the process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// Nothing was written.
    Before,
    /// It was written, and nobody was told.
    After,
    /// The process lives; its journal is gone for good, before the write.
    StoreLostBefore,
    /// The process lives; its journal is gone for good, after the write.
    StoreLostAfter,
}

pub(super) const DEATHS: [Death; 4] = [Death::Before, Death::After, Death::StoreLostBefore, Death::StoreLostAfter];

/// A journal that lets some appends pass, and then its process die.
#[derive(Debug)]
pub(super) struct CrashJournal {
    inner: MemoryJournal,
    left: Mutex<usize>,
    death: Death,
    dead: Notify,
    /// Whether its inbox cannot be read.
    mute: bool,
}

impl CrashJournal {
    pub(super) fn new(inner: MemoryJournal, left: usize, death: Death) -> Self {
        Self { inner, left: Mutex::new(left), death, dead: Notify::new(), mute: false }
    }

    /// A journal that lives, and whose inbox cannot be read.
    pub(super) fn without_inbox(inner: MemoryJournal) -> Self {
        Self { mute: true, ..Self::new(inner, usize::MAX, Death::Before) }
    }

    /// Until the process dies.
    pub(super) async fn dead(&self) {
        self.dead.notified().await;
    }

    fn store_lost(&self) -> Result<()> {
        if *self.left.lock().unwrap() == 0 && matches!(self.death, Death::StoreLostBefore | Death::StoreLostAfter) {
            return Err(Error::new(ErrorKind::Storage, "the disk is gone").with_effect(Effect::Indefinite));
        }
        Ok(())
    }
}

#[async_trait]
impl Journal for CrashJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        self.inner.acquire(run, owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.store_lost()?;
        self.inner.renew(lease, ttl).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.inner.release(lease).await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        self.store_lost()?;
        let dies = {
            let mut left = self.left.lock().unwrap();
            if *left > 0 {
                *left -= 1;
            }
            *left == 0
        };
        if !dies {
            return self.inner.append(lease, expect, entries).await;
        }
        if matches!(self.death, Death::After | Death::StoreLostAfter) {
            self.inner.append(lease, expect, entries).await?;
        }
        self.store_lost()?;
        self.dead.notify_one();
        std::future::pending().await
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        if let Err(error) = self.store_lost() {
            return futures::stream::once(async { Err(error) }).boxed();
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
        if self.mute {
            return Err(Error::new(ErrorKind::Storage, "no such table").with_effect(Effect::NotApplied));
        }
        self.inner.requests(run, after).await
    }
}

/// Two branches, a gate, an irreversible step, replies that are lost and calls that are refused.
fn plan(bench: &Bench) -> Plan {
    bench.world.wrong("scale", &[Wrong::Refused, Wrong::ReplyLost]);
    bench.world.wrong("db", &[Wrong::ReplyLost]);
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.step("fence", &act, &params("fence", 2_000));
    plan.step("scale", &act, &params("scale", 9_000));
    plan.step("promote", &promote, &params("db", 12_000)).after("fence").gate("no way back");
    plan.step("shift", &act, &params("shift", 1_000)).after("promote").after("scale");
    plan.step("confirm", &act, &params("confirm", 0)).after("shift");
    plan.build().unwrap()
}

fn engine(bench: &Bench, journal: Arc<dyn Journal>, owner: &str) -> Engine {
    Engine::builder(journal, bench.world.registry(), bench.world.shared_clock())
        .owner(OwnerId::new(owner).unwrap())
        .approver(Arc::new(AutoApprove::new("test", "agreed")))
        .patience(Duration::from_secs(60))
        .build()
}

async fn create(bench: &Bench) {
    engine(bench, Arc::new(bench.journal.clone()), "creator").create(NewRun::new(run_id(), plan(bench))).await.unwrap();
}

/// Runs until the process dies at its `n`th append; the view when it lived, or got to the end before.
async fn run_until(bench: &Bench, n: usize, death: Death, owner: &str) -> Option<RunView> {
    let journal = Arc::new(CrashJournal::new(bench.journal.clone(), n, death));
    let engine = engine(bench, Arc::clone(&journal) as _, owner);
    let run = run_id();
    bench
        .drive(async {
            tokio::select! {
                view = engine.run(&run) => Some(view.unwrap()),
                () = journal.dead() => None,
            }
        })
        .await
}

async fn finish(bench: &Bench, told: &str) {
    let view =
        drive(&bench.world.clock, engine(bench, Arc::new(bench.journal.clone()), "last").run(&run_id())).await.unwrap();
    assert_eq!(view.state(), RunState::Completed, "{told}: {view:?}");
    let mut effects = bench.world.effects();
    effects.sort();
    assert_eq!(effects, ["on confirm", "on db", "on fence", "on scale", "on shift"], "{told}");
    audit(&bench.journal, &run_id()).await.unwrap();
    let records: Vec<Record> = bench.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap();
    for record in records {
        // Every attempt is given what the first one captured, never what an earlier attempt has made of it.
        if let Entry::StepIntent(intent) = record.entry {
            assert_eq!(
                intent.before,
                Some(serde_json::json!(false)),
                "{told}: attempt {} of {}",
                intent.attempt,
                intent.step
            );
        }
    }
    for (planned, step) in view.steps() {
        assert_eq!(step.before, Some(serde_json::json!(false)), "{told}: the before-image of {}", planned.id);
    }
}

/// How many appends an undisturbed run makes.
async fn appends() -> usize {
    let bench = Bench::new();
    create(&bench).await;
    let journal = Arc::new(CrashJournal::new(bench.journal.clone(), 1_000, Death::Before));
    let engine = engine(&bench, Arc::clone(&journal) as _, "whole");
    bench.drive(engine.run(&run_id())).await.unwrap();
    let left = *journal.left.lock().unwrap();
    1_000 - left
}

#[tokio::test]
async fn a_death_at_any_append_changes_nothing_in_the_end() {
    let whole = appends().await;
    assert!(whole > 10, "{whole}");
    for death in DEATHS {
        for n in 1..=whole {
            let bench = Bench::new();
            create(&bench).await;
            let view = run_until(&bench, n, death, "first").await;
            // A store that is lost holds the run; it never ends it, and never passes for an end.
            if let Some(view) = view {
                assert_eq!(view.state(), RunState::Held, "{death:?} at {n}");
                assert!(view.held().unwrap().contains("the disk is gone"), "{view:?}");
            }
            finish(&bench, &format!("{death:?} at append {n}")).await;
        }
    }
}

#[tokio::test]
async fn a_second_death_during_recovery_changes_nothing_either() {
    let whole = appends().await;
    for first in 1..=whole {
        for second in 1..=whole {
            let bench = Bench::new();
            create(&bench).await;
            let (one, two) = (DEATHS[first % 2], DEATHS[(first + second) % 4]);
            run_until(&bench, first, one, "first").await;
            run_until(&bench, second, two, "second").await;
            finish(&bench, &format!("{one:?} at {first}, {two:?} at {second}")).await;
        }
    }
}

#[tokio::test]
async fn a_death_at_any_moment_changes_nothing_in_the_end() {
    for fifths in 0..150 {
        let bench = Bench::new();
        create(&bench).await;
        let first = engine(&bench, Arc::new(bench.journal.clone()), "first");
        let run = run_id();
        bench
            .drive(async {
                tokio::select! {
                    _ = first.run(&run) => {}
                    () = bench.world.clock.sleep(Duration::from_millis(fifths * 200)) => {}
                }
            })
            .await;
        finish(&bench, &format!("at {fifths} fifths of a second")).await;
    }
}

#[tokio::test]
async fn a_journal_cut_after_any_record_is_taken_up_and_ends_alike() {
    let reference = Bench::new();
    create(&reference).await;
    bench_run(&reference).await;
    let records: Vec<Record> = reference.journal.read(&run_id(), Seq(0)).try_collect().await.unwrap();
    for kept in 1..records.len() {
        // The world is as it was at the end; the journal knows only the first records: every effect is found, none made.
        let prefix = records.iter().take(kept).cloned().collect();
        let journal = MemoryJournal::new(reference.world.shared_clock()).with_records(&run_id(), prefix);
        let engine = engine(&reference, Arc::new(journal), "later");
        let view = reference.drive(engine.run(&run_id())).await.unwrap();
        assert_eq!(view.state(), RunState::Completed, "{kept} records");
        assert_eq!(reference.world.effects().len(), 5, "{kept} records");
    }
}

async fn bench_run(bench: &Bench) {
    bench.drive(engine(bench, Arc::new(bench.journal.clone()), "whole").run(&run_id())).await.unwrap();
}
