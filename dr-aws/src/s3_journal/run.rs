//! One run in the bucket: its log, its lease.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Lease, Record, Seq, Submitted, refusal},
    model::{Epoch, OwnerId, RunId},
};
use futures::{Stream, TryStreamExt as _, future::try_join_all};
use tokio::sync::{Mutex, MutexGuard, OnceCell};

use super::{
    index,
    keys::Keys,
    lease::{Held, granted, unchanged},
    log::Tail,
    slot::{self, Header, Says},
    store::{Put, Store, When},
};

/// Slots fetched at a time.
const AT_ONCE: u64 = 16;
/// How often a race is run again before it is given up.
const RACES: usize = 64;

/// What all runs of a handle share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) store: Store,
    pub(super) keys: Keys,
    /// Tells this handle's writes from those of every other.
    name: u64,
    writes: AtomicU64,
    /// That the store heeds the conditions of writes was seen.
    heeds_conditions: OnceCell<()>,
}

impl Shared {
    pub(super) fn new(store: Store, keys: Keys) -> Self {
        Self { store, keys, name: rand::random(), writes: AtomicU64::new(0), heeds_conditions: OnceCell::new() }
    }

    /// A mark that no other write has.
    pub(super) fn writer(&self) -> String {
        format!("{:016x}-{}", self.name, self.writes.fetch_add(1, Ordering::Relaxed))
    }
}

/// What a slot says, and its records.
type Slot = (Header, Vec<Record>);

/// How far a reader of a log is.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The slot that it reads next.
    next: u64,
    /// The last slot that it knows to be there; nothing before it has looked.
    listed: Option<u64>,
}

/// A run.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) id: RunId,
    pub(super) shared: Arc<Shared>,
    /// One writer at a time in this process; others are held off by the conditions of the writes.
    tail: Mutex<Tail>,
    /// The inbox, as far as it was read.
    pub(super) inbox: Mutex<Vec<Submitted>>,
}

fn lost_races(run: &RunId) -> Error {
    Error::new(ErrorKind::Conflict, format!("others write to run {run} all the time")).with_effect(Effect::NotApplied)
}

impl Run {
    pub(super) fn new(id: RunId, shared: Arc<Shared>) -> Self {
        Self { id, shared, tail: Mutex::default(), inbox: Mutex::default() }
    }

    async fn slot(&self, number: u64) -> Result<Option<Slot>> {
        let object = self.shared.store.get(&self.shared.keys.slot(&self.id, number)).await?;
        object.map(|object| slot::decode(&self.id, number, &object.body)).transpose()
    }

    /// A slot that a list has told of.
    async fn listed(&self, number: u64) -> Result<Slot> {
        self.slot(number).await?.ok_or_else(|| {
            let message = format!("slot {number} of the journal of run {} is missing", self.id);
            Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
        })
    }

    /// The next few slots; none when the log ends there. A look that finds nothing new, as most do, is one GET.
    async fn batch(&self, at: Place) -> Result<Option<(Vec<Slot>, Place)>> {
        let Place { next, listed } = at;
        if let Some(last) = listed.filter(|last| next <= *last) {
            let end = last.min(next + AT_ONCE - 1);
            let slots = try_join_all((next..=end).map(|number| self.listed(number))).await?;
            return Ok(Some((slots, Place { next: end + 1, listed })));
        }
        let Some(slot) = self.slot(next).await? else { return Ok(None) };
        let listed = match listed {
            // What came after the list was made is read one by one.
            Some(listed) => Some(listed),
            None => {
                let (store, keys) = (&self.shared.store, &self.shared.keys);
                let more = store.list(&keys.slots(&self.id), Some(&keys.slot(&self.id, next))).await?;
                Some(next + u64::try_from(more.len()).unwrap_or(0))
            }
        };
        Ok(Some((vec![slot], Place { next: next + 1, listed })))
    }

    /// The run's records after `after`, in order, up to the last that is there now.
    pub(super) fn records_after(self: Arc<Self>, after: Seq) -> impl Stream<Item = Result<Record>> {
        let first = async move {
            let next = self.tail.lock().await.slot_after(after);
            Ok::<_, Error>((self, Place { next, listed: None }))
        };
        futures::stream::once(first)
            .map_ok(|start| {
                futures::stream::try_unfold(start, |(run, at)| async move {
                    let batch = run.batch(at).await?;
                    Ok::<_, Error>(batch.map(|(slots, next)| {
                        (futures::stream::iter(slots.into_iter().map(Ok::<Slot, Error>)), (run, next))
                    }))
                })
                .try_flatten()
            })
            .try_flatten()
            .map_ok(move |(_, records): Slot| {
                futures::stream::iter(records.into_iter().filter(move |record| record.seq > after).map(Ok))
            })
            .try_flatten()
    }

    /// Reads on to the end of the log.
    async fn refresh(&self, tail: &mut Tail) -> Result<()> {
        let mut at = Place { next: tail.next_slot(), listed: None };
        while let Some((slots, next)) = self.batch(at).await? {
            for (header, records) in slots {
                tail.take(&header, &records)?;
            }
            at = next;
        }
        Ok(())
    }

    /// The end of the log, as it is now.
    pub(super) async fn tail(&self) -> Result<MutexGuard<'_, Tail>> {
        let mut tail = self.tail.lock().await;
        self.refresh(&mut tail).await?;
        Ok(tail)
    }

    /// Writes the next slot; false when somebody else has written it. Then the log has to be read on.
    async fn write(&self, tail: &mut Tail, epoch: Epoch, says: Says, records: &[Record]) -> Result<bool> {
        let number = tail.next_slot();
        let header = Header::new(&self.id, number, epoch, says, self.shared.writer());
        let bytes = slot::encode(&header, records)?;
        match self.shared.store.put(&self.shared.keys.slot(&self.id, number), bytes, When::Absent).await? {
            Put::Done => tail.take(&header, records).map(|()| true),
            Put::Refused => Ok(false),
        }
    }

    async fn put_lease(&self, held: &Held, when: When<'_>) -> Result<Put> {
        self.shared.store.put(&self.shared.keys.lease(&self.id), held.encode()?, when).await
    }

    pub(super) async fn acquire(&self, owner: &OwnerId, ttl: Duration) -> Result<Lease> {
        let store = &self.shared.store;
        let mut tail = self.tail.lock().await;
        for _ in 0..RACES {
            let seen = store.get(&self.shared.keys.lease(&self.id)).await?;
            let earlier = seen.as_ref().map(|object| Held::decode(&self.id, object)).transpose()?;
            let now = store.clock.wall();
            if let Some(Held { owner: Some(other), expires, .. }) = &earlier
                && other != owner
                && *expires > now
            {
                return Err(refusal::held(&self.id, other.as_str(), *expires));
            }
            self.refresh(&mut tail).await?;
            let known = earlier.map_or(Epoch(0), |held| held.epoch).max(tail.epoch);
            let lease = granted(&self.id, owner, Epoch(known.0 + 1), now, ttl);
            let held = Held::new(Some(owner), lease.epoch, lease.expires, self.shared.writer());
            if self.put_lease(&held, unchanged(seen.as_ref())).await? == Put::Refused {
                continue;
            }
            self.see_that_conditions_are_heeded(&held).await?;
            if self.claim(&mut tail, &lease).await? {
                return Ok(lease);
            }
            // Somebody with a later epoch was faster: its lease says who.
        }
        Err(lost_races(&self.id))
    }

    /// All of the fencing is the store's to do, and one that only imitates S3 may not: this is seen once, before anything
    /// depends on it, with the lease that has just been written.
    async fn see_that_conditions_are_heeded(&self, held: &Held) -> Result<()> {
        let Shared { store, keys, heeds_conditions, .. } = &*self.shared;
        let (key, lease) = (keys.lease(&self.id), held.encode()?);
        heeds_conditions.get_or_try_init(|| store.refuses_a_second_create(&key, &lease)).await?;
        Ok(())
    }

    /// Puts the lease's claim into the log: from then on it holds the run. False when a later one stands there.
    async fn claim(&self, tail: &mut Tail, lease: &Lease) -> Result<bool> {
        for _ in 0..RACES {
            if tail.epoch >= lease.epoch {
                return Ok(false);
            }
            let says = Says::Claim { owner: lease.owner.clone() };
            if self.write(tail, lease.epoch, says, &[]).await? {
                return Ok(true);
            }
            self.refresh(tail).await?;
        }
        Err(lost_races(&self.id))
    }

    pub(super) async fn renew(&self, lease: &Lease, ttl: Duration) -> Result<Lease> {
        let store = &self.shared.store;
        for _ in 0..RACES {
            let seen = store.get(&self.shared.keys.lease(&self.id)).await?;
            let held = seen.as_ref().map(|object| Held::decode(&self.id, object)).transpose()?;
            let holding = held.map(Held::holding).ok_or_else(|| refusal::fenced(lease))?;
            let renewed = holding.renewed(lease, store.clock.wall(), ttl)?;
            let held = Held::new(Some(&lease.owner), lease.epoch, renewed.expires, self.shared.writer());
            if self.put_lease(&held, unchanged(seen.as_ref())).await? == Put::Done {
                return Ok(renewed);
            }
        }
        Err(lost_races(&self.id))
    }

    pub(super) async fn release(&self, lease: &Lease) -> Result<()> {
        let mut tail = self.tail.lock().await;
        for _ in 0..RACES {
            if !tail.admits(lease) {
                self.refresh(&mut tail).await?;
            }
            if !tail.admits(lease) {
                break;
            }
            if self.write(&mut tail, lease.epoch, Says::Release, &[]).await? {
                break;
            }
            self.refresh(&mut tail).await?;
        }
        drop(tail);
        // Nobody appends any more; now nobody need wait, either.
        let seen = self.shared.store.get(&self.shared.keys.lease(&self.id)).await?;
        let held = seen.as_ref().map(|object| Held::decode(&self.id, object)).transpose()?;
        if let Some(held) = held.filter(|held| held.is(lease)) {
            let free = Held::new(None, held.epoch, held.expires, self.shared.writer());
            // Refused: somebody has taken it meanwhile.
            self.put_lease(&free, unchanged(seen.as_ref())).await?;
        }
        Ok(())
    }

    /// Appends, and says whether the run has ended with it.
    pub(super) async fn append(&self, lease: &Lease, expect: Seq, entries: &[Entry]) -> Result<(Seq, bool)> {
        let mut tail = self.tail.lock().await;
        let mut fresh = false;
        for _ in 0..RACES {
            // What is known is enough for a write: were it old, then the slot is taken. It is not enough for a refusal.
            if fresh || entries.is_empty() || tail.seq != expect || !tail.admits(lease) {
                self.refresh(&mut tail).await?;
            }
            fresh = true;
            if !tail.admits(lease) {
                return Err(refusal::fenced(lease));
            }
            if tail.seq != expect {
                return Err(refusal::not_at_end(&self.id, expect, tail.seq));
            }
            if entries.is_empty() {
                return Ok((tail.seq, false));
            }
            if expect == Seq(0) {
                // Whoever lists the runs finds it from here on, and passes over it until its first record is there.
                index::add(&self.shared, &self.id).await?;
            }
            let records = self.records(&tail, lease.epoch, entries)?;
            let count = u64::try_from(records.len()).unwrap_or(u64::MAX);
            if self.write(&mut tail, lease.epoch, Says::Records { count }, &records).await? {
                return Ok((tail.seq, tail.ended));
            }
        }
        Err(lost_races(&self.id))
    }

    fn records(&self, tail: &Tail, epoch: Epoch, entries: &[Entry]) -> Result<Vec<Record>> {
        let at = self.shared.store.clock.wall();
        let (mut seq, mut digest) = (tail.seq, tail.digest);
        let mut records = Vec::with_capacity(entries.len());
        for entry in entries {
            seq = seq.next();
            let record = Record::write(&self.id, &digest, seq, at, epoch, entry.clone())?;
            digest = record.digest;
            records.push(record);
        }
        Ok(records)
    }

    /// Marks the run as over, to save looking.
    pub(super) async fn mark_ended(&self) -> Result<()> {
        let mark = Bytes::from_static(b"");
        self.shared.store.put(&self.shared.keys.ended(&self.id), mark, When::Absent).await.map(drop)
    }
}
