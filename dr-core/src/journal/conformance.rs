//! The laws of [`Journal`], to be run against every implementation of it, the one in memory included: a fake that does not
//! keep them is a guess.
//!
//! ```
//! use std::sync::Arc;
//! use dr_core::journal::{Journal, MemoryJournal, conformance};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let clock = conformance::clock();
//! let store = MemoryJournal::new(Arc::new(clock.clone()));
//! conformance::check(&clock, || async { Ok(Arc::new(store.clone()) as Arc<dyn Journal>) }).await;
//! # }
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a law that does not hold panics, as a test does"
)]

mod faults;
mod inbox;
mod leases;

pub use faults::{FaultyStore, check_faults};

use std::{sync::Arc, time::Duration};

use futures::{TryStreamExt as _, future::join_all};
use serde_json::json;

use super::{Entry, Journal, Record, RunEnd, Seq, audit, verify};
use crate::{
    error::{Effect, ErrorKind, Result},
    model::{OwnerId, RunId},
    time::ManualClock,
};

const TTL: Duration = Duration::from_secs(30);

/// The clock that the suite moves; the journals must read it.
#[must_use]
pub fn clock() -> ManualClock {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(1_800_000_000));
    clock
}

/// Runs every law. Each call of `open` opens one more handle on the same store, empty at first, on `clock`.
///
/// # Panics
///
/// When a law does not hold.
pub async fn check<F, Fut>(clock: &ManualClock, open: F)
where
    F: Fn() -> Fut,
    Fut: Future<Output = Result<Arc<dyn Journal>>>,
{
    let one = open().await.expect("the store opens");
    let two = open().await.expect("the store opens twice");
    let (one, two) = (&*one, &*two);
    appends_are_ordered_and_read_back(one, two).await;
    an_append_is_all_or_nothing(one).await;
    an_append_goes_to_the_end_or_nowhere(one, two).await;
    a_held_run_is_refused_to_others(clock, one, two).await;
    a_lapsed_lease_passes_on_and_fences_the_old(clock, one, two).await;
    a_renewed_lease_does_not_lapse(clock, one, two).await;
    a_released_lease_passes_on_at_once_and_writes_no_more(one, two).await;
    an_owner_takes_its_own_run_again(one).await;
    two_writers_write_one_story(one, two).await;
    runs_do_not_touch_each_other(one).await;
    open_runs_are_told_oldest_first(one, two).await;
    a_reader_follows_a_writer(one, two).await;
    leases::check(clock, one, two).await;
    ten_thousand_records_are_kept_in_order(one, two).await;
    numbers_survive_to_the_last_digit(one, two).await;
    inbox::check(clock, one, two, &open).await;
}

fn run(name: &str) -> RunId {
    RunId::new(format!("conformance/{name}")).unwrap()
}

fn owner(name: &str) -> OwnerId {
    OwnerId::new(name).unwrap()
}

fn note(n: u64) -> Entry {
    Entry::Note { topic: "n".to_owned(), value: json!(n) }
}

fn end() -> Entry {
    Entry::RunEnded { end: RunEnd::Completed, summary: "done".to_owned() }
}

async fn all(journal: &dyn Journal, run: &RunId, after: u64) -> Vec<Record> {
    journal.read(run, Seq(after)).try_collect().await.unwrap()
}

fn numbers(records: &[Record]) -> Vec<u64> {
    let number = |record: &Record| match &record.entry {
        Entry::Note { value, .. } => value.as_u64(),
        _ => None,
    };
    records.iter().filter_map(number).collect()
}

async fn appends_are_ordered_and_read_back(one: &dyn Journal, two: &dyn Journal) {
    let run = run("order");
    assert!(all(one, &run, 0).await.is_empty());
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    assert_eq!(one.append(&lease, Seq(0), vec![note(1), note(2)]).await.unwrap(), Seq(2));
    assert_eq!(one.append(&lease, Seq(2), vec![note(3)]).await.unwrap(), Seq(3));
    for journal in [one, two] {
        let records = all(journal, &run, 0).await;
        assert_eq!(numbers(&records), [1, 2, 3]);
        assert_eq!(records.iter().map(|record| record.seq.0).collect::<Vec<_>>(), [1, 2, 3]);
        assert!(records.iter().all(|record| record.epoch == lease.epoch));
        verify(&records).unwrap();
        assert_eq!(numbers(&all(journal, &run, 2).await), [3]);
        assert!(all(journal, &run, 3).await.is_empty());
    }
    assert_eq!(audit(one, &run).await.unwrap(), audit(two, &run).await.unwrap());
}

async fn an_append_is_all_or_nothing(one: &dyn Journal) {
    let run = run("atomic");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    assert_eq!(one.append(&lease, Seq(0), Vec::new()).await.unwrap(), Seq(0));
    let error = one.append(&lease, Seq(7), vec![note(1), note(2)]).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
    assert!(all(one, &run, 0).await.is_empty());
    assert_eq!(one.append(&lease, Seq(0), vec![note(1)]).await.unwrap(), Seq(1));
}

async fn an_append_goes_to_the_end_or_nowhere(one: &dyn Journal, two: &dyn Journal) {
    let run = run("expect");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
    // The same writer, having lost count; also through another handle.
    for journal in [one, two] {
        for expect in [0, 2] {
            let error = journal.append(&lease, Seq(expect), vec![note(9)]).await.unwrap_err();
            assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
        }
    }
    assert_eq!(numbers(&all(one, &run, 0).await), [1]);
}

async fn a_held_run_is_refused_to_others(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("held");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    clock.advance(TTL - Duration::from_secs(1));
    let error = two.acquire(&run, &owner("b"), TTL).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Conflict, Effect::NotApplied));
    assert!(error.message().contains(" a "), "it says who holds it: {error}");
    one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
}

async fn a_lapsed_lease_passes_on_and_fences_the_old(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("lapse");
    let old = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    one.append(&old, Seq(0), vec![note(1)]).await.unwrap();
    clock.advance(TTL + Duration::from_secs(1));
    let new = two.acquire(&run, &owner("b"), TTL).await.unwrap();
    assert!(new.epoch > old.epoch);
    // Whatever the stale writer expects, it writes nothing.
    for expect in [0, 1, 2] {
        let error = one.append(&old, Seq(expect), vec![note(9)]).await.unwrap_err();
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Fenced, Effect::NotApplied));
    }
    assert_eq!(one.renew(&old, TTL).await.unwrap_err().kind(), ErrorKind::Fenced);
    one.release(old).await.unwrap();
    two.append(&new, Seq(1), vec![note(2)]).await.unwrap();
    let records = all(one, &run, 0).await;
    assert_eq!(numbers(&records), [1, 2]);
    verify(&records).unwrap();
}

async fn a_renewed_lease_does_not_lapse(clock: &ManualClock, one: &dyn Journal, two: &dyn Journal) {
    let run = run("renew");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    clock.advance(TTL - Duration::from_secs(1));
    let renewed = one.renew(&lease, TTL).await.unwrap();
    assert_eq!(renewed.epoch, lease.epoch);
    assert!(renewed.expires > lease.expires);
    clock.advance(TTL - Duration::from_secs(1));
    assert_eq!(two.acquire(&run, &owner("b"), TTL).await.unwrap_err().kind(), ErrorKind::Conflict);
}

async fn a_released_lease_passes_on_at_once_and_writes_no_more(one: &dyn Journal, two: &dyn Journal) {
    let run = run("release");
    let old = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    one.release(old.clone()).await.unwrap();
    assert_eq!(one.append(&old, Seq(0), vec![note(9)]).await.unwrap_err().kind(), ErrorKind::Fenced);
    let new = two.acquire(&run, &owner("b"), TTL).await.unwrap();
    assert!(new.epoch > old.epoch);
    // A release that comes late takes nothing from the new owner.
    one.release(old).await.unwrap();
    two.append(&new, Seq(0), vec![note(1)]).await.unwrap();
}

async fn an_owner_takes_its_own_run_again(one: &dyn Journal) {
    let run = run("again");
    let first = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    let second = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    assert!(second.epoch > first.epoch);
    assert_eq!(one.append(&first, Seq(0), vec![note(9)]).await.unwrap_err().kind(), ErrorKind::Fenced);
    one.append(&second, Seq(0), vec![note(1)]).await.unwrap();
}

async fn two_writers_write_one_story(one: &dyn Journal, two: &dyn Journal) {
    let run = run("race");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    for n in 0..20 {
        // Both expect the same end; exactly one of them is right.
        let tries = [one, two].map(|journal| journal.append(&lease, Seq(n), vec![note(n)]));
        let won = join_all(tries).await.into_iter().filter(Result::is_ok).count();
        assert_eq!(won, 1, "append {n}");
    }
    let records = all(two, &run, 0).await;
    assert_eq!(numbers(&records), (0..20).collect::<Vec<_>>());
    verify(&records).unwrap();
}

async fn runs_do_not_touch_each_other(one: &dyn Journal) {
    let (left, right) = (run("left"), run("right"));
    let a = one.acquire(&left, &owner("a"), TTL).await.unwrap();
    let b = one.acquire(&right, &owner("b"), TTL).await.unwrap();
    one.append(&a, Seq(0), vec![note(1)]).await.unwrap();
    one.append(&b, Seq(0), vec![note(2)]).await.unwrap();
    one.append(&a, Seq(1), vec![note(3)]).await.unwrap();
    assert_eq!(numbers(&all(one, &left, 0).await), [1, 3]);
    assert_eq!(numbers(&all(one, &right, 0).await), [2]);
}

async fn open_runs_are_told_oldest_first(one: &dyn Journal, two: &dyn Journal) {
    let runs = [run("open/z"), run("open/a"), run("open/m")];
    for id in &runs {
        let lease = one.acquire(id, &owner("a"), TTL).await.unwrap();
        one.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
        if id.as_str().ends_with('a') {
            one.append(&lease, Seq(1), vec![end()]).await.unwrap();
        }
    }
    // A lease alone is no run.
    two.acquire(&run("open/none"), &owner("a"), TTL).await.unwrap();
    let mut open = two.open_runs().await.unwrap();
    open.retain(|id| id.as_str().contains("/open/"));
    assert_eq!(open.iter().map(RunId::as_str).collect::<Vec<_>>(), ["conformance/open/z", "conformance/open/m"]);
}

async fn a_reader_follows_a_writer(one: &dyn Journal, two: &dyn Journal) {
    let run = run("follow");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    let mut seen = Vec::new();
    for n in 0..30 {
        let (written, read) = futures::join!(one.append(&lease, Seq(n), vec![note(n)]), all(two, &run, n));
        written.unwrap();
        // The record may or may not be there yet, and nothing else.
        assert!(numbers(&read).is_empty() || numbers(&read) == [n]);
        seen.extend(numbers(&all(two, &run, n).await));
    }
    assert_eq!(seen, (0..30).collect::<Vec<_>>());
}

async fn ten_thousand_records_are_kept_in_order(one: &dyn Journal, two: &dyn Journal) {
    let run = run("ten-thousand");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    for batch in 0..50_u64 {
        let entries = (0..200).map(|n| note(batch * 200 + n)).collect();
        one.append(&lease, Seq(batch * 200), entries).await.unwrap();
    }
    let records = all(two, &run, 0).await;
    assert_eq!(numbers(&records), (0..10_000).collect::<Vec<_>>());
    verify(&records).unwrap();
    assert_eq!(numbers(&all(two, &run, 9_990).await), (9_990..10_000).collect::<Vec<_>>());
    // A page's end, and the one before and after it.
    for after in [499, 500, 501, 1_000] {
        assert_eq!(numbers(&all(one, &run, after).await), (after..10_000).collect::<Vec<_>>());
    }
}

async fn numbers_survive_to_the_last_digit(one: &dyn Journal, two: &dyn Journal) {
    let run = run("numbers");
    let lease = one.acquire(&run, &owner("a"), TTL).await.unwrap();
    let value =
        json!({ "z": 0.1 + 0.2, "a": [1e-7, 123_456_789.123_456_79, u64::MAX, i64::MIN], "text": "é\u{1F600}\n\0" });
    let entry = Entry::Note { topic: "n".to_owned(), value };
    one.append(&lease, Seq(0), vec![entry; 3]).await.unwrap();
    verify(&all(two, &run, 0).await).unwrap();
    audit(two, &run).await.unwrap();
}
