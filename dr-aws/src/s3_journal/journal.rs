use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    driver::BreakerPolicy,
    error::Result,
    journal::{Entry, Journal, Lease, Record, Request, RequestId, Seq, Submitted},
    model::{OwnerId, RunId},
    spec::{JournalPlace, Spec},
    time::SharedClock,
};
use futures::{StreamExt as _, stream::BoxStream};

use super::{
    index,
    keys::Keys,
    run::{Run, Shared},
    store::Store,
};
use crate::{ClientsBuilder, RegionClients};

/// A journal in a bucket of S3, on conditional writes: see [the module](super) for how it fences and what it costs.
///
/// ```
/// use std::sync::Arc;
/// use aws_credential_types::Credentials;
/// use dr_aws::{Clients, s3_journal::S3Journal};
/// use dr_core::{model::RegionId, time::{SharedClock, SystemClock}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // The witness's region: neither the one that may fail, nor the one that takes over.
/// let frankfurt = RegionId::new("eu-central-1")?;
/// let clock: SharedClock = Arc::new(SystemClock::new());
/// let clients = Clients::builder(clock.clone())
///     .credentials(Credentials::new("AKIDEXAMPLE", "secret", None, None, "example"))
///     .build();
/// let journal = S3Journal::new(&clients.for_writes(&frankfurt), "shop-journal", "dr", clock);
/// # let _ = journal;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct S3Journal {
    shared: Arc<Shared>,
    runs: Arc<Mutex<BTreeMap<RunId, Arc<Run>>>>,
}

impl S3Journal {
    /// A journal under `prefix` in a bucket of the clients' region. Leases lapse by this clock's wall, of which every
    /// machine that shares the bucket should think alike: they decide how long a dead holder is waited for, and no more.
    ///
    /// The journal repeats what may be repeated by itself, so give it clients that do not:
    /// [`Clients::for_writes`](crate::Clients::for_writes); and clients of its own, whose breaker never opens (a
    /// [`BreakerPolicy`](dr_core::driver::BreakerPolicy) with a `trip` that is not reached): a call that is refused unasked says
    /// nothing of the bucket, and uses up the journal's patience.
    #[must_use]
    pub fn new(clients: &RegionClients, bucket: impl Into<String>, prefix: &str, clock: SharedClock) -> Self {
        let store = Store { client: clients.s3().clone(), bucket: bucket.into(), clock };
        Self { shared: Arc::new(Shared::new(store, Keys::new(prefix))), runs: Arc::default() }
    }

    /// The journal that `dr.yaml` names, when it is one in S3; `builder` brings the credentials, and what else the clients are
    /// to have. They become clients of the journal's own, with the endpoints of `dr.yaml` and without a breaker.
    ///
    /// ```
    /// # use aws_credential_types::Credentials;
    /// # use dr_aws::{Clients, s3_journal::S3Journal};
    /// # use dr_core::{spec::Spec, time::SharedClock};
    /// fn journal(spec: &Spec, credentials: Credentials, clock: &SharedClock) -> Option<S3Journal> {
    ///     S3Journal::of(spec, Clients::builder(clock.clone()).credentials(credentials), clock.clone())
    /// }
    /// ```
    #[must_use]
    pub fn of(spec: &Spec, builder: ClientsBuilder, clock: SharedClock) -> Option<Self> {
        let JournalPlace::Bucket { bucket, prefix } = spec.journal.place()? else { return None };
        let never = BreakerPolicy { trip: u32::MAX, ..BreakerPolicy::default() };
        let clients = builder.endpoints_of(spec).breaker(never).build();
        Some(Self::new(&clients.for_writes(&spec.journal.region), bucket, prefix, clock))
    }

    fn run(&self, id: &RunId) -> Arc<Run> {
        let mut runs = self.runs.lock().unwrap_or_else(PoisonError::into_inner);
        let run = runs.entry(id.clone()).or_insert_with(|| Arc::new(Run::new(id.clone(), Arc::clone(&self.shared))));
        Arc::clone(run)
    }
}

#[async_trait]
impl Journal for S3Journal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        self.run(run).acquire(owner, ttl).await
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        self.run(&lease.run).renew(lease, ttl).await
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        self.run(&lease.run).release(&lease).await
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let run = self.run(&lease.run);
        let (last, ended) = run.append(lease, expect, &entries).await?;
        if ended {
            // What is written is written; whoever lists the open runs sees to the mark if this cannot.
            let _ = run.mark_ended().await;
        }
        Ok(last)
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        self.run(run).records_after(after).boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        let (runs, _) = index::read(&self.shared).await?;
        let over = index::ended(&self.shared).await?;
        let mut open = Vec::new();
        for id in runs.into_iter().filter(|id| !over.contains(id)) {
            let run = self.run(&id);
            let (seq, ended) = {
                let tail = run.tail().await?;
                (tail.seq, tail.ended)
            };
            if ended {
                let _ = run.mark_ended().await;
            } else if seq > Seq(0) {
                open.push(id);
            }
        }
        Ok(open)
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        let (runs, _) = index::read(&self.shared).await?;
        let over = index::ended(&self.shared).await?;
        let mut all = Vec::new();
        for id in runs {
            if over.contains(&id) || self.run(&id).tail().await?.seq > Seq(0) {
                all.push(id);
            }
        }
        Ok(all)
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        self.run(run).submit(&request).await
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        self.run(run).requests(after).await
    }
}
