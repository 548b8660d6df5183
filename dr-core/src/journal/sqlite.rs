mod inbox;

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::mpsc,
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, TransactionBehavior, params};
use tokio::sync::oneshot;

use super::{
    Digest, Entry, Journal, Lease, Record, Request, RequestId, Seq, Submitted,
    memory::{fenced, held, not_at_end},
    wire,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    model::{Epoch, OwnerId, RunId},
    time::{SharedClock, Timestamp},
};

/// What makes a file ours: `DRJ1`.
const APPLICATION_ID: i32 = 0x4452_4a31;
/// The version of the tables.
///
/// | version | what came |
/// |---|---|
/// | 1 | runs, records, leases |
/// | 2 | requests |
/// | 3 | records as the text that their digests cover |
///
/// Versions 1 and 2 were never released, and their records have other digests: they are refused.
const VERSION: i32 = 3;
/// Records fetched at a time.
const PAGE: u32 = 500;

const TABLES: &str = "
CREATE TABLE runs (
    n     INTEGER PRIMARY KEY,
    run   TEXT    NOT NULL UNIQUE,
    ended INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE records (
    run    TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    record TEXT    NOT NULL,
    digest BLOB    NOT NULL,
    PRIMARY KEY (run, seq)
) WITHOUT ROWID;
CREATE TABLE leases (
    run     TEXT    PRIMARY KEY,
    owner   TEXT,
    epoch   INTEGER NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;
";

type Job = Box<dyn FnOnce(&mut Connection) + Send>;

/// A journal in one SQLite file, which other processes can open, read and follow while a run writes.
///
/// The file is in write-ahead mode with `synchronous=FULL`: a commit syncs the log once, and readers never stop the
/// writer (<https://www.sqlite.org/wal.html>). An append is one transaction, so a step costs two syncs. Write-ahead mode
/// needs shared memory: keep the file on a local disk.
///
/// All work is done on a thread of its own, so that a slow disk never stops the runtime. Clones share the thread.
#[derive(Clone)]
pub struct SqliteJournal {
    path: PathBuf,
    clock: SharedClock,
    jobs: mpsc::Sender<Job>,
}

impl fmt::Debug for SqliteJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqliteJournal").field("path", &self.path).finish_non_exhaustive()
    }
}

impl SqliteJournal {
    /// Opens the file, making it when it is not there. Leases lapse by this clock's wall, which every process that
    /// shares the file must agree on.
    ///
    /// # Errors
    ///
    /// [`Storage`](ErrorKind::Storage) when it cannot be opened or is not a journal of this version.
    pub async fn open(path: impl AsRef<Path>, clock: SharedClock) -> Result<Self> {
        let path = path.as_ref().to_path_buf();
        let (jobs, inbox) = mpsc::channel::<Job>();
        let (opened, told) = oneshot::channel();
        let file = path.clone();
        std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || match connect(&file) {
                Ok(mut connection) => {
                    let _ = opened.send(Ok(()));
                    while let Ok(job) = inbox.recv() {
                        job(&mut connection);
                    }
                }
                Err(error) => {
                    let _ = opened.send(Err(error));
                }
            })
            .map_err(|e| {
                Error::new(ErrorKind::Storage, "the journal's thread cannot start")
                    .with_source(e)
                    .with_effect(Effect::NotApplied)
            })?;
        told.await.unwrap_or_else(|_| Err(gone()))?;
        Ok(Self { path, clock, jobs })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Runs `work` on the journal's thread. Work that was handed over is done even when nobody waits for it any more.
    async fn on_thread<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> Result<T> + Send + 'static,
    {
        let (answer, told) = oneshot::channel();
        let job: Job = Box::new(move |connection| {
            // The caller is gone: what was written stays written.
            let _ = answer.send(work(connection));
        });
        self.jobs.send(job).map_err(|_| gone())?;
        told.await.unwrap_or_else(|_| Err(gone()))
    }

    /// Runs `work` in a transaction that holds the write lock from its start, and commits it: one sync.
    async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>) -> Result<T> + Send + 'static,
    {
        self.on_thread(move |connection| {
            let transaction = connection
                .transaction_with_behavior(TransactionBehavior::Immediate)
                .map_err(|e| failed("begin", e).with_effect(Effect::NotApplied))?;
            let value = work(&transaction)?;
            transaction.commit().map_err(|e| failed("commit", e))?;
            Ok(value)
        })
        .await
    }
}

fn gone() -> Error {
    Error::new(ErrorKind::Storage, "the journal's thread has ended")
}

fn failed(what: &'static str, error: rusqlite::Error) -> Error {
    let busy = matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    );
    Error::new(ErrorKind::Storage, format!("the journal's file failed: {error}"))
        .during(format!("sqlite:{what}"))
        .with_retry(if busy { Retry::Backoff } else { Retry::Never })
        .with_source(error)
}

fn connect(path: &Path) -> Result<Connection> {
    let open = |e| failed("open", e).with_effect(Effect::NotApplied);
    let mut connection = Connection::open(path).map_err(open)?;
    connection.busy_timeout(Duration::from_secs(5)).map_err(open)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(open)?;
    connection.pragma_update(None, "synchronous", "full").map_err(open)?;
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(open)?;
    let pragma = |name: &str| transaction.pragma_query_value(None, name, |row| row.get::<_, i32>(0)).map_err(open);
    match (pragma("application_id")?, pragma("user_version")?) {
        (0, 0) => {
            transaction.execute_batch(TABLES).map_err(open)?;
            transaction.execute_batch(inbox::TABLE).map_err(open)?;
            transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(open)?;
            transaction.pragma_update(None, "user_version", VERSION).map_err(open)?;
        }
        (APPLICATION_ID, VERSION) => {}
        (APPLICATION_ID, version) => {
            return Err(refused(format!("holds tables of version {version}, this program reads version {VERSION}")));
        }
        _ => return Err(refused("is the database of another program".to_owned())),
    }
    transaction.commit().map_err(open)?;
    Ok(connection)
}

fn refused(why: String) -> Error {
    Error::new(ErrorKind::Storage, format!("the journal's file {why}")).with_effect(Effect::NotApplied)
}

/// A number as SQLite keeps it; the journal's numbers never reach the sign.
fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0))
}

/// Checks that the lease is still the run's.
fn check(transaction: &Transaction<'_>, lease: &Lease) -> Result<()> {
    let row = transaction
        .query_row("SELECT epoch, owner FROM leases WHERE run = ?1", [lease.run.as_str()], |row| {
            Ok((unsigned(row, 0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()
        .map_err(|e| failed("read lease", e).with_effect(Effect::NotApplied))?;
    match row {
        Some((epoch, Some(owner))) if Epoch(epoch) == lease.epoch && owner == lease.owner.as_str() => Ok(()),
        _ => Err(fenced(lease)),
    }
}

/// The place and the digest of the run's last record.
fn last(transaction: &Transaction<'_>, run: &RunId) -> Result<(Seq, Digest)> {
    let row = transaction
        .query_row("SELECT seq, digest FROM records WHERE run = ?1 ORDER BY seq DESC LIMIT 1", [run.as_str()], |row| {
            Ok((Seq(unsigned(row, 0)?), row.get(1).map(Digest::from_bytes)?))
        })
        .optional()
        .map_err(|e| failed("read end", e).with_effect(Effect::NotApplied))?;
    Ok(row.unwrap_or((Seq(0), Digest::START)))
}

/// A row of `records`, decoded.
fn decode(run: &RunId, row: &Row<'_>) -> Result<Record> {
    let read = |e| failed("read", e).with_effect(Effect::NotApplied);
    let seq = unsigned(row, 0).map_err(read)?;
    let digest = row.get(2).map(Digest::from_bytes).map_err(read)?;
    let text = row.get_ref(1).map_err(read)?.as_str().map_err(|_| {
        let message = format!("record {seq} of run {run} cannot be read: it is not text");
        Error::new(ErrorKind::Storage, message).with_effect(Effect::NotApplied)
    })?;
    Record::read(text, digest).map_err(|e| {
        let message = format!("record {seq} of run {run} cannot be read: {}", e.message());
        Error::new(e.kind(), message).with_effect(Effect::NotApplied).with_source(e)
    })
}

/// The records after `after`, at most a page of them; what cannot be read ends them.
fn page(connection: &Connection, run: &RunId, after: Seq) -> Result<Vec<Result<Record>>> {
    let read = |e| failed("read", e).with_effect(Effect::NotApplied);
    let mut statement = connection
        .prepare("SELECT seq, record, digest FROM records WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
        .map_err(read)?;
    let mut rows = statement.query(params![run.as_str(), number(after.0), PAGE]).map_err(read)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(read)? {
        let record = decode(run, row);
        let failed = record.is_err();
        records.push(record);
        if failed {
            break;
        }
    }
    Ok(records)
}

/// The runs that a query names.
fn names(connection: &Connection, query: &str) -> Result<Vec<RunId>> {
    let read = |e| failed("runs", e).with_effect(Effect::NotApplied);
    let mut statement = connection.prepare(query).map_err(read)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(read)?;
    rows.map(|run| {
        RunId::new(run.map_err(read)?).map_err(|e| {
            Error::new(ErrorKind::Storage, format!("the journal names a run badly: {e}"))
                .with_effect(Effect::NotApplied)
        })
    })
    .collect()
}

#[async_trait]
impl Journal for SqliteJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let (run, owner, now) = (run.clone(), owner.clone(), self.clock.wall());
        self.write(move |transaction| {
            let storage = |e| failed("acquire", e);
            let row = transaction
                .query_row("SELECT owner, epoch, expires FROM leases WHERE run = ?1", [run.as_str()], |row| {
                    Ok((row.get::<_, Option<String>>(0)?, unsigned(row, 1)?, row.get::<_, i64>(2)?))
                })
                .optional()
                .map_err(storage)?;
            let mut epoch = Epoch(1);
            if let Some((other, earlier, expires)) = row {
                let expires = Timestamp::from_millis(expires);
                if let Some(other) = other.filter(|other| other != owner.as_str())
                    && expires > now
                {
                    return Err(held(&run, &other, expires));
                }
                epoch = Epoch(earlier + 1);
            }
            let expires = now + ttl;
            transaction
                .execute(
                    "INSERT INTO leases (run, owner, epoch, expires) VALUES (?1, ?2, ?3, ?4)
                     ON CONFLICT (run) DO UPDATE SET owner = ?2, epoch = ?3, expires = ?4",
                    params![run.as_str(), owner.as_str(), number(epoch.0), expires.as_millis()],
                )
                .map_err(storage)?;
            Ok(Lease { run, owner, epoch, expires })
        })
        .await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let lease = Lease { expires: self.clock.wall() + ttl, ..lease.clone() };
        self.write(move |transaction| {
            check(transaction, &lease)?;
            transaction
                .execute(
                    "UPDATE leases SET expires = ?2 WHERE run = ?1",
                    params![lease.run.as_str(), lease.expires.as_millis()],
                )
                .map_err(|e| failed("renew", e))?;
            Ok(lease)
        })
        .await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.write(move |transaction| {
            transaction
                .execute(
                    "UPDATE leases SET owner = NULL WHERE run = ?1 AND epoch = ?2 AND owner = ?3",
                    params![lease.run.as_str(), number(lease.epoch.0), lease.owner.as_str()],
                )
                .map_err(|e| failed("release", e))?;
            Ok(())
        })
        .await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let (lease, at) = (lease.clone(), self.clock.wall());
        self.write(move |transaction| {
            let storage = |e| failed("append", e);
            check(transaction, &lease)?;
            let (mut seq, mut digest) = last(transaction, &lease.run)?;
            if seq != expect {
                return Err(not_at_end(&lease.run, expect, seq));
            }
            let run = lease.run.as_str();
            for entry in &entries {
                seq = seq.next();
                let text = wire::encode(&lease.run, seq, at, lease.epoch, entry)?;
                digest = digest.then(text.as_bytes());
                transaction
                    .execute(
                        "INSERT INTO records (run, seq, record, digest) VALUES (?1, ?2, ?3, ?4)",
                        params![run, number(seq.0), text, digest.as_bytes()],
                    )
                    .map_err(storage)?;
                if seq == Seq(1) {
                    transaction.execute("INSERT INTO runs (run) VALUES (?1)", [run]).map_err(storage)?;
                }
                if matches!(entry, Entry::RunEnded { .. }) {
                    transaction.execute("UPDATE runs SET ended = 1 WHERE run = ?1", [run]).map_err(storage)?;
                }
            }
            Ok(seq)
        })
        .await
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        let pages = futures::stream::try_unfold(Some(after), move |after| async move {
            let Some(after) = after else { return Ok::<_, Error>(None) };
            let wanted = run.clone();
            let rows = self.on_thread(move |connection| page(connection, &wanted, after)).await?;
            // A page that is not full is the last.
            let next = match rows.last() {
                Some(Ok(last)) if rows.len() >= PAGE as usize => Some(last.seq),
                _ => None,
            };
            Ok(Some((futures::stream::iter(rows), next)))
        });
        pages.try_flatten().boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        self.on_thread(|connection| names(connection, "SELECT run FROM runs WHERE ended = 0 ORDER BY n")).await
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        self.on_thread(|connection| names(connection, "SELECT run FROM runs ORDER BY n")).await
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        let run = run.clone();
        self.write(move |transaction| inbox::submit(transaction, &run, &request)).await
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        let run = run.clone();
        self.on_thread(move |connection| inbox::requests(connection, &run, after)).await
    }
}
