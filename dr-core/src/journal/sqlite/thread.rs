use std::{
    fmt,
    path::{Path, PathBuf},
    sync::mpsc,
};

use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::oneshot;

use super::{
    failure::{failed, gone},
    tables::connect,
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    time::SharedClock,
};

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
    pub(super) clock: SharedClock,
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

    /// Lets the file grow to this many pages and no further.
    #[cfg(test)]
    pub(in crate::journal) async fn limit_pages(&self, most: i64) -> Result<()> {
        self.on_thread(move |connection| {
            connection.pragma_update(None, "max_page_count", most).map_err(|e| failed("limit", e))
        })
        .await
    }

    /// Runs `work` on the journal's thread. Work that was handed over is done even when nobody waits for it any more.
    pub(super) async fn on_thread<T, F>(&self, work: F) -> Result<T>
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
    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
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
