use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures::{StreamExt as _, stream::BoxStream};

use super::{
    Digest, Entry, Holding, Journal, Lease, Record, Request, RequestId, Seq, Submitted,
    refusal::{again, fenced, no_run, not_at_end},
};
use crate::{
    error::Result,
    model::{Epoch, OwnerId, RunId},
    time::{SharedClock, Timestamp},
};

/// A journal that lives as long as the process. Clones share one store.
///
/// ```
/// use std::sync::Arc;
/// use dr_core::{journal::MemoryJournal, time::SystemClock};
///
/// let journal = MemoryJournal::new(Arc::new(SystemClock::new()));
/// # let _ = journal;
/// ```
#[derive(Clone, Debug)]
pub struct MemoryJournal {
    clock: SharedClock,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    leases: BTreeMap<RunId, Holding>,
    records: BTreeMap<RunId, Vec<Record>>,
    /// Runs in the order of their first record.
    order: Vec<RunId>,
    inbox: BTreeMap<RunId, Vec<Submitted>>,
}

impl MemoryJournal {
    /// An empty journal; leases lapse by this clock's wall.
    #[must_use]
    pub fn new(clock: SharedClock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// A journal that holds these records of a run already: a prefix of an earlier journal, to see it resumed.
    #[must_use]
    pub fn with_records(self, run: &RunId, records: Vec<Record>) -> Self {
        {
            let mut state = self.state();
            state.order.push(run.clone());
            let epoch = records.last().map_or(Epoch(0), |record| record.epoch);
            state.leases.insert(run.clone(), Holding { epoch, owner: None, expires: Timestamp::UNIX_EPOCH });
            state.records.insert(run.clone(), records);
        }
        self
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The lease's entry in the table, while it is the lease that may write.
    fn holds(&mut self, lease: &Lease) -> Result<&mut Holding> {
        self.leases.get_mut(&lease.run).filter(|holding| holding.admits(lease)).ok_or_else(|| fenced(lease))
    }
}

#[async_trait]
impl Journal for MemoryJournal {
    async fn acquire(&self, run: &RunId, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let now = self.clock.wall();
        let mut state = self.state();
        let (lease, holding) = Holding::take(state.leases.get(run), run, owner, now, ttl)?;
        state.leases.insert(run.clone(), holding);
        Ok(lease)
    }

    async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let now = self.clock.wall();
        let mut state = self.state();
        let holding = state.holds(lease)?;
        let renewed = holding.renewed(lease, now, ttl)?;
        holding.expires = renewed.expires;
        Ok(renewed)
    }

    async fn release(&self, lease: Lease) -> Result<()> {
        // Somebody else's by now: there is nothing left to give back.
        if let Ok(held) = self.state().holds(&lease) {
            held.owner = None;
        }
        Ok(())
    }

    async fn append(&self, lease: &Lease, expect: Seq, entries: Vec<Entry>) -> Result<Seq> {
        let at = self.clock.wall();
        let mut state = self.state();
        state.holds(lease)?;
        let records = state.records.get(&lease.run).map_or(&[][..], Vec::as_slice);
        let mut last = records.last().map_or(Seq(0), |record| record.seq);
        if last != expect {
            return Err(not_at_end(&lease.run, expect, last));
        }
        let mut digest = records.last().map_or(Digest::START, |record| record.digest);
        let mut fresh = Vec::with_capacity(entries.len());
        for entry in entries {
            last = last.next();
            let record = Record::write(&lease.run, &digest, last, at, lease.epoch, entry)?;
            digest = record.digest;
            fresh.push(record);
        }
        if !state.records.contains_key(&lease.run) && !fresh.is_empty() {
            state.order.push(lease.run.clone());
        }
        if !fresh.is_empty() {
            state.records.entry(lease.run.clone()).or_default().extend(fresh);
        }
        Ok(last)
    }

    fn read<'a>(&'a self, run: &'a RunId, after: Seq) -> BoxStream<'a, Result<Record>> {
        let records: Vec<Record> = self
            .state()
            .records
            .get(run)
            .map(|records| records.iter().filter(|record| record.seq > after).cloned().collect())
            .unwrap_or_default();
        futures::stream::iter(records.into_iter().map(Ok)).boxed()
    }

    async fn open_runs(&self) -> Result<Vec<RunId>> {
        let state = self.state();
        let ended = |run: &RunId| {
            state
                .records
                .get(run)
                .and_then(|records| records.last())
                .is_some_and(|record| matches!(record.entry, Entry::RunEnded { .. }))
        };
        Ok(state.order.iter().filter(|run| !ended(run)).cloned().collect())
    }

    async fn runs(&self) -> Result<Vec<RunId>> {
        Ok(self.state().order.clone())
    }

    async fn submit(&self, run: &RunId, request: Request) -> Result<RequestId> {
        let mut state = self.state();
        if !state.records.contains_key(run) {
            return Err(no_run(run));
        }
        let inbox = state.inbox.entry(run.clone()).or_default();
        let earlier = inbox.iter().find(|earlier| earlier.request.token == request.token);
        if let Some(id) = again(run, earlier, &request)? {
            return Ok(id);
        }
        let id = inbox.last().map_or(RequestId(0), |last| last.id).next();
        inbox.push(Submitted { id, request });
        Ok(id)
    }

    async fn requests(&self, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
        let state = self.state();
        let inbox = state.inbox.get(run).map_or(&[][..], Vec::as_slice);
        Ok(inbox.iter().filter(|one| one.id > after).cloned().collect())
    }
}
