//! What a failover cost in data: the clients' ledger held against the volume that survived.

use std::collections::{BTreeMap, BTreeSet};

use dr_core::{
    model::{Epoch, RegionId},
    time::Monotonic,
};
use serde::{Deserialize, Serialize};

use crate::{
    clients::Acknowledged,
    orders::{OrderId, Surviving},
};

/// A write that a client was told is stored, and that is not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LostWrite {
    /// The order.
    pub id: OrderId,
    /// Who was told.
    pub client: u32,
    /// The region that said so.
    pub region: RegionId,
    /// The epoch of its writer.
    pub epoch: Epoch,
    /// When it was acknowledged, in seconds since the lab's start.
    pub acked_s: f64,
    /// How old it was at the moment of loss, in seconds.
    pub age_s: f64,
}

/// The clients' ledger against the surviving store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// The region whose volume survived.
    pub surviving_region: RegionId,
    /// The epoch of its writer.
    pub epoch: Epoch,
    /// The moment that ages are measured from, in seconds since the lab's start; absent when nothing was lost.
    pub lost_at_s: Option<f64>,
    /// Writes that were acknowledged.
    pub writes_acked: usize,
    /// Orders that the surviving volume holds.
    pub writes_stored: usize,
    /// Writes that were acknowledged and are gone.
    pub writes_lost: usize,
    /// Each of them, oldest first.
    pub lost: Vec<LostWrite>,
    /// The age of the oldest lost write, in seconds; 0 when none was lost.
    pub rpo_s: f64,
    /// Orders that are stored more than once.
    pub duplicated: usize,
    /// Orders that are stored and of which no client was told: the reply was lost, or is on its way.
    pub unacknowledged: usize,
    /// Orders that two writers took at once.
    pub split_brain: usize,
    /// Orders that were thrown away when an old writer's volume was rebuilt.
    pub discarded: usize,
}

impl Audit {
    /// Compares what clients were told with what is there.
    ///
    /// `failed_at` is the moment of the fault. Ages are measured from it, or from the last write that the lost
    /// writes' region acknowledged when that was later: a region whose API alone has failed goes on taking orders.
    ///
    /// Take the ledger before the store: a write that is acknowledged in between is then in the store and not in the ledger, and
    /// does not count as lost. Of the ledger, only writes acknowledged from `since` on are judged.
    #[must_use]
    pub fn of(ledger: &[Acknowledged], surviving: &Surviving, since: Monotonic, failed_at: Option<Monotonic>) -> Self {
        let mut stored: BTreeMap<&OrderId, usize> = BTreeMap::new();
        for order in &surviving.orders {
            *stored.entry(&order.id).or_default() += 1;
        }
        let told: BTreeSet<&OrderId> = ledger.iter().map(|write| &write.id).collect();
        let acknowledged: Vec<&Acknowledged> = ledger.iter().filter(|write| write.at >= since).collect();
        let mut gone: Vec<&Acknowledged> =
            acknowledged.iter().copied().filter(|write| !stored.contains_key(&write.id)).collect();
        gone.sort_by_key(|write| write.at);
        let lost_at = gone.last().map(|last| {
            let same_writer = acknowledged.iter().filter(|w| w.region == last.region && w.epoch == last.epoch);
            same_writer.map(|write| write.at).chain(failed_at).max().unwrap_or(last.at)
        });
        let lost: Vec<_> = gone
            .into_iter()
            .map(|write| LostWrite {
                id: write.id.clone(),
                client: write.client,
                region: write.region.clone(),
                epoch: write.epoch,
                acked_s: write.at.since_origin().as_secs_f64(),
                age_s: lost_at.map_or(0.0, |at| at.since(write.at).as_secs_f64()),
            })
            .collect();
        Self {
            surviving_region: surviving.region.clone(),
            epoch: surviving.epoch,
            lost_at_s: lost_at.map(|at| at.since_origin().as_secs_f64()),
            writes_acked: acknowledged.len(),
            writes_stored: surviving.orders.len(),
            writes_lost: lost.len(),
            rpo_s: lost.iter().map(|write| write.age_s).fold(0.0, f64::max),
            lost,
            duplicated: stored.values().filter(|times| **times > 1).count(),
            unacknowledged: stored.keys().filter(|id| !told.contains(*id)).count(),
            split_brain: surviving.split_brain.len(),
            discarded: surviving.discarded.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::orders::Order;

    fn east() -> RegionId {
        RegionId::new("us-east-1").unwrap()
    }

    fn west() -> RegionId {
        RegionId::new("eu-west-1").unwrap()
    }

    fn at(ms: u64) -> Monotonic {
        Monotonic::new(Duration::from_millis(ms))
    }

    fn told(n: u64, ms: u64) -> Acknowledged {
        Acknowledged { id: OrderId::of(1, n), client: 1, region: east(), epoch: Epoch(0), at: at(ms) }
    }

    fn order(n: u64) -> Order {
        Order { id: OrderId::of(1, n), client: 1, region: east(), epoch: Epoch(0), stored_at: at(n * 1_000) }
    }

    fn surviving(orders: &[u64]) -> Surviving {
        Surviving {
            region: west(),
            epoch: Epoch(1),
            orders: orders.iter().map(|n| order(*n)).collect(),
            split_brain: Vec::new(),
            discarded: Vec::new(),
        }
    }

    #[test]
    fn every_lost_write_is_named_with_its_age_at_the_fault() {
        let acknowledged = [told(1, 1_000), told(2, 2_000), told(3, 3_000), told(4, 3_500)];
        let audit = Audit::of(&acknowledged, &surviving(&[1, 3]), Monotonic::ZERO, Some(at(4_000)));
        assert_eq!(audit.writes_lost, 2);
        assert_eq!(
            audit.lost.iter().map(|w| (w.id.clone(), w.age_s)).collect::<Vec<_>>(),
            [(OrderId::of(1, 2), 2.0), (OrderId::of(1, 4), 0.5)]
        );
        assert!((audit.rpo_s - 2.0).abs() < 1e-9);
    }

    #[test]
    fn a_region_that_went_on_after_the_fault_loses_from_its_last_write() {
        let acknowledged = [told(1, 1_000), told(2, 9_000), told(3, 10_000)];
        let audit = Audit::of(&acknowledged, &surviving(&[1]), Monotonic::ZERO, Some(at(4_000)));
        assert_eq!(audit.lost_at_s, Some(10.0));
        assert!((audit.rpo_s - 1.0).abs() < 1e-9);
    }

    #[test]
    fn an_earlier_loss_is_not_judged_again() {
        let ledger = [told(1, 1_000), told(2, 9_000)];
        let audit = Audit::of(&ledger, &surviving(&[2, 3]), at(5_000), None);
        assert_eq!((audit.writes_acked, audit.writes_lost, audit.unacknowledged), (1, 0, 1));
    }

    #[test]
    fn a_lost_reply_is_no_lost_write() {
        let audit = Audit::of(&[told(1, 1_000)], &surviving(&[1, 2, 2]), Monotonic::ZERO, None);
        assert_eq!((audit.writes_lost, audit.unacknowledged, audit.duplicated), (0, 1, 1));
        assert_eq!(audit.lost_at_s, None);
        assert!(audit.rpo_s.abs() < 1e-9);
    }
}
