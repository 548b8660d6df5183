use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use dr_core::{
    model::{Epoch, RegionId},
    time::Monotonic,
};

use super::{Order, OrderId};

/// Where a volume's orders come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Source {
    /// From clients: it is (or was, before it was cut off) a writer.
    Clients,
    /// From another region's volume, in that volume's order.
    Region(RegionId),
}

/// One region's orders, in the order of their commits.
///
/// A replica is always a prefix of its source: storage ships its log in order.
#[derive(Clone, Debug)]
pub(super) struct Volume {
    pub(super) source: Source,
    /// The epoch in which it became a writer: one that was left behind does not learn of a newer.
    pub(super) epoch: Epoch,
    orders: Vec<Order>,
    places: BTreeMap<OrderId, usize>,
}

impl Volume {
    pub(super) fn new(source: Source) -> Self {
        Self { source, epoch: Epoch(0), orders: Vec::new(), places: BTreeMap::new() }
    }

    pub(super) fn orders(&self) -> &[Order] {
        &self.orders
    }

    pub(super) fn get(&self, id: &OrderId) -> Option<&Order> {
        self.places.get(id).and_then(|place| self.orders.get(*place))
    }

    pub(super) fn append(&mut self, order: Order) {
        self.places.insert(order.id.clone(), self.orders.len());
        self.orders.push(order);
    }

    /// The commits that this replica of `source` does not have, and that were made no later than `until`.
    pub(super) fn due(&self, source: &Self, until: Option<Monotonic>) -> VecDeque<Order> {
        let missing = source.orders.get(self.orders.len()..).unwrap_or_default();
        missing.iter().take_while(|order| until.is_none_or(|until| order.stored_at <= until)).cloned().collect()
    }

    /// Becomes a copy of `source`, and returns what only this volume held.
    pub(super) fn rebuild_from(&mut self, source: &Self) -> Vec<Order> {
        let only_here = self.orders.iter().filter(|order| source.get(&order.id).is_none()).cloned().collect();
        self.orders.clone_from(&source.orders);
        self.places.clone_from(&source.places);
        only_here
    }
}

/// The latest commit that a replica may hold at `now`; none when the world is younger than the lag.
pub(super) fn horizon(now: Monotonic, lag: Duration) -> Option<Monotonic> {
    now.since_origin().checked_sub(lag).map(Monotonic::new)
}
