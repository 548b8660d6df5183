use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::Result,
    journal::{Entry, Journal, Lease, MemoryJournal, Record, Request, RequestId, Seq, Submitted},
    model::{OwnerId, RunId},
    time::SharedClock,
};
use futures::stream::BoxStream;

/// A journal in memory whose appends take their time, as a disk's do.
#[derive(Debug)]
pub(crate) struct SlowJournal {
    inner: MemoryJournal,
    append: Duration,
    clock: SharedClock,
}

impl SlowJournal {
    pub(crate) fn new(inner: MemoryJournal, append: Duration, clock: SharedClock) -> Self {
        Self { inner, append, clock }
    }
}

#[async_trait]
impl Journal for SlowJournal {
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
        if !self.append.is_zero() {
            self.clock.sleep(self.append).await;
        }
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
