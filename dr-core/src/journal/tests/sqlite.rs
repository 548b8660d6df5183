//! What is SQLite's own.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard},
    time::Duration,
};

use async_trait::async_trait;
use futures::TryStreamExt as _;
use serde_json::json;

use super::{conformance::FaultyStore, *};
use crate::{
    error::{ErrorKind, Result},
    model::{OwnerId, RunId},
    time::ManualClock,
};

async fn open(path: &Path, clock: &ManualClock) -> SqliteJournal {
    SqliteJournal::open(path, Arc::new(clock.clone())).await.unwrap()
}

fn run() -> RunId {
    RunId::new("run-1").unwrap()
}

fn note(text: &str) -> Entry {
    Entry::Note { topic: "said".to_owned(), value: json!(text) }
}

async fn lease(journal: &SqliteJournal) -> Lease {
    journal.acquire(&run(), &OwnerId::new("a").unwrap(), Duration::from_secs(30)).await.unwrap()
}

#[tokio::test]
async fn the_journal_in_a_file_keeps_the_laws() {
    let directory = tempfile::tempdir().unwrap();
    let clock = conformance::clock();
    conformance::check(&clock, || async {
        let journal = SqliteJournal::open(directory.path().join("journal.sqlite"), Arc::new(clock.clone())).await?;
        Ok(Arc::new(journal) as Arc<dyn Journal>)
    })
    .await;
}

/// A file that the suite may break.
struct Breakable {
    directory: tempfile::TempDir,
    clock: ManualClock,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The handles that are open.
    open: Vec<SqliteJournal>,
    /// Files so far; the last is the store.
    files: usize,
    /// How long the log was when the suite said "remember".
    whole: u64,
}

impl Breakable {
    fn path(&self, file: usize) -> PathBuf {
        self.directory.path().join(format!("journal-{file}.sqlite"))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }
}

fn log(path: &Path) -> PathBuf {
    path.with_extension("sqlite-wal")
}

/// Moves all of the log into the file. The last handle does so when it closes, if it can lock the file for itself
/// (<https://www.sqlite.org/wal.html>): two that close at once may each find the other there, and leave the log to
/// whoever opens next.
fn fold_in(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    connection.busy_timeout(Duration::from_secs(10)).unwrap();
    let busy: bool = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).unwrap();
    assert!(!busy, "somebody still reads or writes");
}

#[async_trait]
impl FaultyStore for Breakable {
    async fn open(&self) -> Result<Arc<dyn Journal>> {
        let path = self.path(self.state().files);
        let journal = SqliteJournal::open(path, Arc::new(self.clock.clone())).await?;
        self.state().open.push(journal.clone());
        Ok(Arc::new(journal))
    }

    async fn set_full(&self, full: bool) -> bool {
        let open = self.state().open.clone();
        for journal in open {
            // Less than there is means: no more than there is.
            journal.limit_pages(if full { 1 } else { 1_000_000 }).await.unwrap();
        }
        true
    }

    async fn corrupt(&self, text: &str) -> bool {
        let path = self.path(self.state().files);
        self.state().open.clear();
        fold_in(&path);
        let mut bytes = std::fs::read(&path).unwrap();
        let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
        bytes[at + 2] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        true
    }

    async fn remember(&self) -> bool {
        let whole = std::fs::metadata(log(&self.path(self.state().files))).unwrap().len();
        self.state().whole = whole;
        true
    }

    async fn tear(&self, hundredths: u64) -> bool {
        let (from, to, whole) = {
            let mut state = self.state();
            state.files += 1;
            (self.path(state.files - 1), self.path(state.files), state.whole)
        };
        // The files as a machine that died leaves them: never closed, the log cut off.
        std::fs::copy(&from, &to).unwrap();
        let mut bytes = std::fs::read(log(&from)).unwrap();
        let written = bytes.len() as u64 - whole;
        assert!(written > 20_000, "the last append is in the log, and longer than a page");
        bytes.truncate((whole + written * hundredths / 100) as usize);
        std::fs::write(log(&to), bytes).unwrap();
        self.state().open.clear();
        true
    }
}

#[tokio::test]
async fn a_file_that_fails_keeps_the_laws() {
    let clock = conformance::clock();
    let directory = tempfile::tempdir().unwrap();
    let store = Breakable { directory, clock: clock.clone(), state: Mutex::default() };
    assert_eq!(conformance::check_faults(&clock, &store).await, ["full", "torn", "corrupt"]);
}

/// Commits in a write-ahead log, counted from its bytes: a frame that ends one carries the database's size
/// (<https://www.sqlite.org/fileformat2.html#the_write_ahead_log>).
fn commits(path: &Path) -> usize {
    let log = std::fs::read(path.with_extension("sqlite-wal")).unwrap();
    let number = |at: usize| u32::from_be_bytes(log[at..at + 4].try_into().unwrap());
    let (page, salt) = (number(8) as usize, &log[16..24]);
    (32..log.len())
        .step_by(24 + page)
        .filter(|at| log.len() >= at + 24 + page && &log[at + 8..at + 16] == salt && number(at + 4) != 0)
        .count()
}

#[tokio::test]
async fn an_append_is_one_commit() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let clock = ManualClock::new();
    let journal = open(&path, &clock).await;
    let lease = lease(&journal).await;
    let before = commits(&path);
    journal.append(&lease, Seq(0), vec![note("a"), note("b"), note("c")]).await.unwrap();
    assert_eq!(commits(&path), before + 1);
    journal.append(&lease, Seq(3), vec![note("d")]).await.unwrap();
    assert_eq!(commits(&path), before + 2);
}

#[tokio::test]
async fn what_was_appended_is_there_after_the_process_is_gone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let copy = directory.path().join("copy.sqlite");
    let clock = ManualClock::new();
    let journal = open(&path, &clock).await;
    let lease = lease(&journal).await;
    journal.append(&lease, Seq(0), vec![note("kept")]).await.unwrap();
    // The files as a killed process leaves them: never closed, the log not folded in.
    std::fs::copy(&path, &copy).unwrap();
    std::fs::copy(path.with_extension("sqlite-wal"), copy.with_extension("sqlite-wal")).unwrap();
    let records: Vec<Record> = open(&copy, &clock).await.read(&run(), Seq(0)).try_collect().await.unwrap();
    assert_eq!(records.len(), 1);
    verify(&records).unwrap();
}

#[tokio::test]
async fn a_flipped_byte_is_found_and_its_record_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let clock = ManualClock::new();
    {
        let journal = open(&path, &clock).await;
        let lease = lease(&journal).await;
        for n in 0..9 {
            journal.append(&lease, Seq(n), vec![note(&format!("word-{n}-end"))]).await.unwrap();
        }
    }
    fold_in(&path);
    let clean = std::fs::read(&path).unwrap();
    let at = |text: &str| clean.windows(text.len()).position(|window| window == text.as_bytes()).unwrap();
    let audited = |bytes: Vec<u8>| {
        let file = directory.path().join(format!("{}.sqlite", rand::random::<u64>()));
        let clock = clock.clone();
        async move {
            std::fs::write(&file, bytes).unwrap();
            audit(&open(&file, &clock).await, &run()).await
        }
    };
    assert_eq!(audited(clean.clone()).await.unwrap().records, 9);

    let mut flipped = clean.clone();
    flipped[at("word-4-end")] ^= 1;
    let error = audited(flipped).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Corrupt);
    assert!(error.message().contains("record 5 is not what was written"), "{error}");

    // A byte that breaks the record's form.
    let mut flipped = clean.clone();
    flipped[at("word-6-end") - 1] = b'}';
    let error = audited(flipped).await.unwrap_err();
    assert!(error.message().contains("record 7") && error.message().contains("cannot be read"), "{error}");
}

#[tokio::test]
async fn a_file_of_another_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("journal.sqlite");
    let clock = ManualClock::new();
    {
        let journal = open(&path, &clock).await;
        let lease = lease(&journal).await;
        journal.append(&lease, Seq(0), vec![note("kept")]).await.unwrap();
        journal.release(lease).await.unwrap();
    }
    // One that was never released, and one that is not known yet.
    for version in [2, 99] {
        let connection = rusqlite::Connection::open(&path).unwrap();
        connection.execute_batch(&format!("PRAGMA user_version = {version};")).unwrap();
        let refused = SqliteJournal::open(&path, Arc::new(clock.clone())).await.unwrap_err();
        assert!(refused.message().contains(&format!("version {version}")), "{refused}");
        let now: i32 = connection.pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
        assert_eq!(now, version);
    }
}

#[tokio::test]
async fn a_file_that_is_no_journal_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let text = directory.path().join("notes.txt");
    std::fs::write(&text, "this is no database, however long it may be made to be".repeat(40)).unwrap();
    let refused = SqliteJournal::open(&text, Arc::new(clock.clone())).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Storage);
    let foreign = directory.path().join("foreign.sqlite");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection.execute_batch("CREATE TABLE t (a); PRAGMA user_version = 3;").unwrap();
    drop(connection);
    let refused = SqliteJournal::open(&foreign, Arc::new(clock)).await.unwrap_err();
    assert!(refused.message().contains("another program"), "{refused}");
    assert!(SqliteJournal::open(directory.path().join("no/such/place"), Arc::new(ManualClock::new())).await.is_err());
}
