//! The real journal in a process that may die at any of its writes.

use std::{
    fs::{self, File},
    future::Future,
    io::Write as _,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    error::Result,
    journal::{Entry, Journal, Lease, Record, Request, RequestId, Seq, SqliteJournal, Submitted},
    model::{OwnerId, RunId},
};
use futures::{StreamExt as _, TryStreamExt as _, executor::block_on, stream::BoxStream};
use rustix::process::{Resource, Rlimit, setrlimit};

use super::{
    death::{Death, Moment, die},
    wal,
};

/// A [`SqliteJournal`] whose process dies at one of its writes. Every record that was acknowledged is noted in a file.
pub(super) struct MortalJournal {
    inner: SqliteJournal,
    death: Option<Death>,
    writes: AtomicU32,
    acknowledged: Mutex<File>,
    last_words: Arc<dyn Fn() + Send + Sync>,
    database: PathBuf,
    /// Where the log's end before a write that is lost is noted.
    synced: PathBuf,
}

impl std::fmt::Debug for MortalJournal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MortalJournal").field("inner", &self.inner).field("death", &self.death).finish_non_exhaustive()
    }
}

impl MortalJournal {
    pub(super) fn new(
        inner: SqliteJournal,
        death: Option<Death>,
        acknowledged: File,
        synced: PathBuf,
        last_words: Arc<dyn Fn() + Send + Sync>,
    ) -> Self {
        let database = inner.path().to_path_buf();
        let acknowledged = Mutex::new(acknowledged);
        Self { inner, death, writes: AtomicU32::new(0), acknowledged, last_words, database, synced }
    }

    pub(super) fn writes(&self) -> u32 {
        self.writes.load(Ordering::SeqCst)
    }

    /// Makes one write, and dies before, in or after it when this is the one. Nothing else happens in the process
    /// meanwhile, so that the same process always does the same.
    fn write<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        let n = self.writes.fetch_add(1, Ordering::SeqCst) + 1;
        let moment = match self.death {
            Some(Death::Write(at, moment)) if at == n => Some(moment),
            _ => None,
        };
        match moment {
            None => {}
            Some(Moment::Before) => {
                (self.last_words)();
                die();
            }
            Some(Moment::Torn(bytes)) => {
                (self.last_words)();
                // The kernel writes up to the limit, and kills who writes on.
                let limit = Some(wal::end(&self.database) + bytes);
                setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).unwrap();
                setrlimit(Resource::Fsize, Rlimit { current: limit, maximum: limit }).unwrap();
            }
            Some(Moment::Written(_)) => {
                (self.last_words)();
                fs::write(&self.synced, wal::end(&self.database).to_string()).unwrap();
            }
            Some(Moment::Synced) => (self.last_words)(),
        }
        let done = at_once(work);
        if moment.is_some() {
            die();
        }
        done
    }
}

/// Waits for the journal's thread without letting anything else go on.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    block_on(tokio::task::unconstrained(work))
}

#[async_trait]
impl Journal for MortalJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        self.write(self.inner.acquire(run, owner, ttl))
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.write(self.inner.renew(lease, ttl))
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.write(self.inner.release(lease))
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let last = self.write(self.inner.append(lease, expect, entries))?;
        writeln!(self.acknowledged.lock().unwrap(), "{last}").unwrap();
        Ok(last)
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        let records: Vec<Result<Record>> = match at_once(self.inner.read(run, after).try_collect::<Vec<_>>()) {
            Ok(records) => records.into_iter().map(Ok).collect(),
            Err(error) => vec![Err(error)],
        };
        futures::stream::iter(records).boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        at_once(self.inner.open_runs())
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        at_once(self.inner.runs())
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        self.write(self.inner.submit(run, request))
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        at_once(self.inner.requests(run, after))
    }
}
