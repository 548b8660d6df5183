//! The laws of a store that fails: what only its own test can do to it.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::json;

use super::{TTL, all, note, numbers, owner, run};
use crate::{
    error::{Effect, ErrorKind, Result},
    journal::{Entry, Journal, Record, Seq, audit, verify},
    time::ManualClock,
};

/// What an implementation's test can do to its store. Each answers whether it can be done at all: a law that cannot be checked
/// is absent from what [`check_faults`] answers, and not passed.
///
/// ```
/// use std::sync::Arc;
/// use dr_core::{error::Result, journal::{Journal, MemoryJournal, conformance::{self, FaultyStore}}};
///
/// /// Memory neither fills up nor tears.
/// struct Memory(MemoryJournal);
///
/// #[async_trait::async_trait]
/// impl FaultyStore for Memory {
///     async fn open(&self) -> Result<Arc<dyn Journal>> {
///         Ok(Arc::new(self.0.clone()))
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let clock = conformance::clock();
/// let store = Memory(MemoryJournal::new(Arc::new(clock.clone())));
/// assert!(conformance::check_faults(&clock, &store).await.is_empty());
/// # }
/// ```
#[async_trait]
pub trait FaultyStore: Sync {
    /// One more handle on the store, as it is now.
    ///
    /// # Errors
    ///
    /// When it does not open.
    async fn open(&self) -> Result<Arc<dyn Journal>>;

    /// Lets the store refuse to take more, as a full disk does, or take more again; also in handles that are open.
    async fn set_full(&self, _full: bool) -> bool {
        false
    }

    /// Changes one bit of a byte within this text, where the store keeps it. The suite has dropped its handles.
    async fn corrupt(&self, _text: &str) -> bool {
        false
    }

    /// Keeps in mind how far the store is written: [`tear`](Self::tear) leaves this much whole.
    async fn remember(&self) -> bool {
        false
    }

    /// Leaves the store as a machine leaves it that dies while it writes what came after [`remember`](Self::remember): that
    /// many hundredths of the bytes are there. Handles opened from now on see the store so.
    async fn tear(&self, _hundredths: u64) -> bool {
        false
    }
}

/// Runs the laws that the store can be put to, and answers which those were.
///
/// # Panics
///
/// When a law does not hold.
pub async fn check_faults(_clock: &ManualClock, store: &dyn FaultyStore) -> Vec<&'static str> {
    let mut checked = Vec::new();
    if a_full_store_refuses_and_keeps_what_it_has(store).await {
        checked.push("full");
    }
    if a_torn_append_is_there_or_not(store).await {
        checked.push("torn");
    }
    if a_changed_byte_is_found_and_its_record_named(store).await {
        checked.push("corrupt");
    }
    checked
}

fn heavy(n: u64) -> Entry {
    // Not compressible to nothing, and longer than a page.
    Entry::Note { topic: format!("heavy-{n}"), value: json!("0123456789abcdef".repeat(600)) }
}

fn topics(records: &[Record]) -> usize {
    records
        .iter()
        .filter(|record| matches!(&record.entry, Entry::Note { topic, .. } if topic.starts_with("heavy")))
        .count()
}

async fn a_full_store_refuses_and_keeps_what_it_has(store: &dyn FaultyStore) -> bool {
    let journal = store.open().await.unwrap();
    let run = run("faults/full");
    let lease = journal.acquire(&run, &owner("a"), TTL).await.unwrap();
    let mut end = journal.append(&lease, Seq(0), vec![note(0)]).await.unwrap();
    if !store.set_full(true).await {
        return false;
    }
    let mut refused = None;
    for n in 0..500 {
        match journal.append(&lease, end, vec![heavy(n), heavy(n)]).await {
            Ok(last) => end = last,
            Err(error) => {
                refused = Some(error);
                break;
            }
        }
    }
    let refused = refused.expect("a full store refuses at some time");
    assert_eq!(refused.kind(), ErrorKind::Storage, "{refused}");
    // Reading goes on, and everything that was acknowledged is there.
    let records = all(&*journal, &run, 0).await;
    verify(&records).unwrap();
    let there = records.last().map_or(Seq(0), |record| record.seq);
    assert!(there == end || refused.effect() != Effect::NotApplied, "it said that nothing was written: {there}");
    assert!(there >= end, "record {there} is the last, and {end} was acknowledged");
    assert_eq!(topics(&records) % 2, 0, "half of an append is there");
    // There is room again: it goes on in the same handle.
    assert!(store.set_full(false).await);
    let last = journal.append(&lease, there, vec![note(1)]).await.unwrap();
    let later = store.open().await.unwrap();
    let records = all(&*later, &run, 0).await;
    assert_eq!((numbers(&records), records.len() as u64), (vec![0, 1], last.0));
    verify(&records).unwrap();
    true
}

async fn a_torn_append_is_there_or_not(store: &dyn FaultyStore) -> bool {
    let run = run("faults/torn");
    for hundredths in [0, 1, 10, 33, 50, 66, 90, 99, 100] {
        let journal = store.open().await.unwrap();
        let lease = journal.acquire(&run, &owner("a"), TTL).await.unwrap();
        let end = all(&*journal, &run, 0).await.last().map_or(Seq(0), |record| record.seq);
        let end = journal.append(&lease, end, vec![heavy(1), note(hundredths)]).await.unwrap();
        if !store.remember().await {
            return false;
        }
        journal.append(&lease, end, vec![heavy(2), heavy(3), heavy(4)]).await.unwrap();
        assert!(store.tear(hundredths).await, "what can be remembered can be torn");
        drop(journal);
        let journal = store.open().await.unwrap();
        let records = all(&*journal, &run, 0).await;
        verify(&records).unwrap();
        let there = records.last().map_or(Seq(0), |record| record.seq);
        assert!(there == end || there == Seq(end.0 + 3), "{hundredths} %: {there} of {end} and 3");
        // All of the bytes is a process that died after it was told.
        assert!(hundredths < 100 || there > end, "what was acknowledged is gone");
        // The same owner, restarted, goes on.
        let lease = journal.acquire(&run, &owner("a"), TTL).await.unwrap();
        journal.append(&lease, there, vec![note(1000)]).await.unwrap();
        audit(&*journal, &run).await.unwrap();
        journal.release(lease).await.unwrap();
    }
    true
}

async fn a_changed_byte_is_found_and_its_record_named(store: &dyn FaultyStore) -> bool {
    let journal = store.open().await.unwrap();
    let run = run("faults/corrupt");
    let lease = journal.acquire(&run, &owner("a"), TTL).await.unwrap();
    for n in 0..6_u64 {
        let entry = Entry::Note { topic: "n".to_owned(), value: json!(format!("needle-{n}-in-hay")) };
        journal.append(&lease, Seq(n), vec![entry]).await.unwrap();
    }
    journal.release(lease).await.unwrap();
    audit(&*journal, &run).await.unwrap();
    drop(journal);
    if !store.corrupt("needle-3-in-hay").await {
        return false;
    }
    let journal = store.open().await.unwrap();
    let error = audit(&*journal, &run).await.expect_err("the changed byte is not seen");
    assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
    assert!(error.message().contains("record 4 "), "{error}");
    true
}
