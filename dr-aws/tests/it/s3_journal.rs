//! The journal in S3: the laws of every journal, and what is its own.

mod adoption;
mod faults;
mod laws;

use std::sync::Arc;

use dr_aws::{s3_journal::S3Journal, testing::s3::PublicAccess};
use dr_core::{
    journal::{Entry, Journal, Record, Seq},
    model::{OwnerId, RunId},
    time::ManualClock,
};
use futures::TryStreamExt as _;

use crate::stage::{Stage, west};

/// A machine's own way to the journal.
fn machine(stage: &Stage) -> S3Journal {
    let way = if stage.is_in_process() { stage.west_for_a_journal() } else { stage.west() };
    S3Journal::new(&way, "journal", "dr", Arc::new(stage.clock.clone()))
}

fn with_bucket(stage: Stage) -> Stage {
    stage.world.s3().add_bucket(&west(), "journal", PublicAccess::Blocked);
    stage
}

fn run() -> RunId {
    RunId::new("shop/failover-1").unwrap()
}

fn owner(name: &str) -> OwnerId {
    OwnerId::new(name).unwrap()
}

fn note(n: u64) -> Entry {
    Entry::Note { topic: "n".to_owned(), value: n.into() }
}

async fn all(journal: &S3Journal) -> Vec<Record> {
    journal.read(&run(), Seq(0)).try_collect().await.unwrap()
}

fn numbers(records: &[Record]) -> Vec<u64> {
    let number = |record: &Record| match &record.entry {
        Entry::Note { value, .. } => value.as_u64(),
        _ => None,
    };
    records.iter().filter_map(number).collect()
}

/// Moves the clock whenever somebody sleeps on it, so that pauses between attempts pass.
pub(crate) async fn patiently<T>(clock: &ManualClock, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            () = tokio::task::yield_now() => { clock.advance_to_next(); }
        }
    }
}
