use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use dr_core::{
    model::{Epoch, Plane, RegionId},
    testing::{Fault, FaultBoard},
    time::{Monotonic, SharedClock},
};
use serde::{Deserialize, Serialize};

use super::{
    Database, NewOrder, Order, OrderId, Promotion, PromotionKind,
    volume::{Source, Volume, horizon},
};

/// This region's cluster does not take writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadOnly;

/// An order that is in the volume, and whether it was put there by this call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// The order.
    pub order: Order,
    /// False when an earlier attempt had stored it.
    pub created: bool,
}

/// An order that a rebuild threw away: it was only on a volume that had been cut off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discarded {
    /// The region whose volume was rebuilt.
    pub region: RegionId,
    /// What was thrown away.
    pub order: Order,
}

/// The volume that outlived everything: the present writer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surviving {
    /// The region of the present writer.
    pub region: RegionId,
    /// The writer's epoch.
    pub epoch: Epoch,
    /// Its orders, in the order of their commits.
    pub orders: Vec<Order>,
    /// Orders that another region took after this writer had been promoted: a split brain, if there is any.
    pub split_brain: Vec<Order>,
    /// What rebuilds threw away.
    pub discarded: Vec<Discarded>,
}

/// The order volumes of every region, replicating while the lab runs. Clones share the volumes.
///
/// Replication is asynchronous and in order: a commit reaches the standby's volume the database's lag after it was made, unless
/// either region's data plane is cut off, in which case it waits.
#[derive(Clone, Debug)]
pub struct Stores {
    inner: Arc<Mutex<Inner>>,
    clock: SharedClock,
    database: Arc<dyn Database>,
    board: FaultBoard,
}

#[derive(Debug)]
struct Inner {
    volumes: BTreeMap<RegionId, Volume>,
    writer: RegionId,
    epoch: Epoch,
    seen: usize,
    discarded: Vec<Discarded>,
    split_brain: Vec<Order>,
}

impl Stores {
    /// Empty volumes: `writer`'s takes orders, each of `replicas`' is shipped from it.
    #[must_use]
    pub fn new(
        clock: SharedClock,
        board: FaultBoard,
        database: Arc<dyn Database>,
        writer: &RegionId,
        replicas: &[RegionId],
    ) -> Self {
        let mut volumes: BTreeMap<_, _> =
            replicas.iter().map(|r| (r.clone(), Volume::new(Source::Region(writer.clone())))).collect();
        volumes.insert(writer.clone(), Volume::new(Source::Clients));
        let inner = Inner {
            volumes,
            writer: writer.clone(),
            epoch: Epoch(0),
            seen: 0,
            discarded: Vec::new(),
            split_brain: Vec::new(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), clock, database, board }
    }

    /// Stores an order in `region`'s volume, or finds that an earlier attempt did.
    ///
    /// # Errors
    ///
    /// [`ReadOnly`] when the region's cluster is not a writer.
    pub fn put(&self, region: &RegionId, new: &NewOrder) -> Result<Placed, ReadOnly> {
        let mut inner = self.current();
        // Asked under the lock and after the changes of role were taken in, so that no order slips in behind a drain.
        if !self.database.is_writable(region) {
            return Err(ReadOnly);
        }
        let is_second_writer = *region != inner.writer;
        let Some(volume) = inner.volumes.get_mut(region) else { return Err(ReadOnly) };
        if volume.source != Source::Clients {
            return Err(ReadOnly);
        }
        let id = new.id.clone().unwrap_or_else(|| OrderId(format!("{region}-{:06}", volume.orders().len() + 1)));
        if let Some(order) = volume.get(&id) {
            return Ok(Placed { order: order.clone(), created: false });
        }
        let order = Order {
            id,
            client: new.client,
            region: region.clone(),
            epoch: volume.epoch,
            stored_at: self.clock.monotonic(),
        };
        volume.append(order.clone());
        if is_second_writer {
            inner.split_brain.push(order.clone());
        }
        Ok(Placed { order, created: true })
    }

    /// The order as `region`'s volume has it: a replica answers from the past.
    #[must_use]
    pub fn get(&self, region: &RegionId, id: &OrderId) -> Option<Order> {
        self.current().volumes.get(region).and_then(|volume| volume.get(id)).cloned()
    }

    /// How many orders `region`'s volume holds.
    #[must_use]
    pub fn count(&self, region: &RegionId) -> usize {
        self.current().volumes.get(region).map_or(0, |volume| volume.orders().len())
    }

    /// The region of the present writer.
    #[must_use]
    pub fn writer(&self) -> RegionId {
        self.current().writer.clone()
    }

    /// The regions that have a volume.
    #[must_use]
    pub fn regions(&self) -> Vec<RegionId> {
        self.current().volumes.keys().cloned().collect()
    }

    /// The epoch of the present writer.
    #[must_use]
    pub fn epoch(&self) -> Epoch {
        self.current().epoch
    }

    /// The present writer's orders, and what became of the rest.
    #[must_use]
    pub fn surviving(&self) -> Surviving {
        let inner = self.current();
        Surviving {
            region: inner.writer.clone(),
            epoch: inner.epoch,
            orders: inner.volumes.get(&inner.writer).map(|v| v.orders().to_vec()).unwrap_or_default(),
            split_brain: inner.split_brain.clone(),
            discarded: inner.discarded.clone(),
        }
    }

    /// Ships what is due and takes in changes of role. Everything that reads or writes a volume does this first.
    pub fn advance(&self) {
        drop(self.current());
    }

    /// Does something at one moment, before which everything due has crossed, and nothing else: a fault that is thrown here cuts the volumes off
    /// at exactly the moment that `act` is told.
    pub fn at_once<R>(&self, act: impl FnOnce(Monotonic) -> R) -> R {
        let (_inner, now) = self.lock_now();
        act(now)
    }

    fn current(&self) -> MutexGuard<'_, Inner> {
        self.lock_now().0
    }

    fn lock_now(&self) -> (MutexGuard<'_, Inner>, Monotonic) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.monotonic();
        for promotion in self.database.promotions(inner.seen) {
            // What had crossed before the promotion counts as crossed.
            self.ship(&mut inner, promotion.at.min(now));
            inner.apply(&promotion);
            inner.seen += 1;
        }
        let left_behind: Vec<_> = inner.left_behind().filter(|region| self.database.is_replica(region)).collect();
        for region in left_behind {
            inner.rejoin(&region);
        }
        self.ship(&mut inner, now);
        (inner, now)
    }

    fn ship(&self, inner: &mut Inner, now: Monotonic) {
        let replicas: Vec<_> = inner
            .volumes
            .iter()
            .filter_map(|(region, volume)| match &volume.source {
                Source::Region(source) => Some((region.clone(), source.clone())),
                Source::Clients => None,
            })
            .collect();
        for (region, source) in replicas {
            if self.is_cut_off(&region) || self.is_cut_off(&source) {
                continue;
            }
            if let Some(horizon) = horizon(now, self.database.lag(&region)) {
                inner.copy(&source, &region, Some(horizon));
            }
        }
    }

    fn is_cut_off(&self, region: &RegionId) -> bool {
        matches!(self.board.plane(region, Plane::Data), Some(Fault::BlackHole | Fault::Refuse))
    }
}

impl Inner {
    fn copy(&mut self, source: &RegionId, replica: &RegionId, until: Option<Monotonic>) {
        let due = match (self.volumes.get(source), self.volumes.get(replica)) {
            (Some(source), Some(replica)) => replica.due(source, until),
            _ => return,
        };
        if let Some(volume) = self.volumes.get_mut(replica) {
            due.into_iter().for_each(|order| volume.append(order));
        }
    }

    fn apply(&mut self, promotion: &Promotion) {
        let promoted = &promotion.region;
        if promotion.kind == PromotionKind::Switchover && self.writer != *promoted {
            let old = self.writer.clone();
            self.copy(&old, promoted, None);
            if let Some(volume) = self.volumes.get_mut(&old) {
                volume.source = Source::Region(promoted.clone());
            }
        }
        // After a failover or a detach the old volume stays as it is: cut off, and perhaps not even aware of it.
        if let Some(volume) = self.volumes.get_mut(promoted) {
            volume.source = Source::Clients;
            volume.epoch = promotion.epoch;
        }
        self.writer = promoted.clone();
        self.epoch = promotion.epoch;
    }

    /// The regions whose volumes were written to by clients, and are not the writer's.
    fn left_behind(&self) -> impl Iterator<Item = RegionId> {
        self.volumes
            .iter()
            .filter(|(region, volume)| volume.source == Source::Clients && **region != self.writer)
            .map(|(region, _)| region.clone())
    }

    /// The volume is rebuilt from the writer's, and what only it held is discarded.
    fn rejoin(&mut self, region: &RegionId) {
        let Some(writer) = self.volumes.get(&self.writer).cloned() else { return };
        if let Some(volume) = self.volumes.get_mut(region) {
            let thrown_away = volume.rebuild_from(&writer);
            volume.source = Source::Region(self.writer.clone());
            self.discarded.extend(thrown_away.into_iter().map(|order| Discarded { region: region.clone(), order }));
        }
    }
}

#[cfg(test)]
mod tests;
