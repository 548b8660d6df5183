use std::{collections::BTreeMap, time::Duration};

use dr_aws::testing::rds::{self, Rds};
use dr_core::model::{Epoch, RegionId};

use crate::{
    orders::{Database, Promotion, PromotionKind},
    platform::GLOBAL_CLUSTER,
};

/// The platform's global database, as its volumes see it.
#[derive(Clone, Debug)]
pub(crate) struct Aurora {
    rds: Rds,
    clusters: BTreeMap<RegionId, &'static str>,
}

impl Aurora {
    pub(crate) fn new(rds: Rds, clusters: BTreeMap<RegionId, &'static str>) -> Self {
        Self { rds, clusters }
    }

    /// Sets the lag of whichever regions follow at present.
    pub(crate) fn set_lag(&self, lag: Duration) {
        for region in self.clusters.keys() {
            // The writer has no lag to set, and neither has a cluster that has left.
            if self.rds.lag(GLOBAL_CLUSTER, region).is_some_and(|present| present != lag) {
                // It has stopped following in between: then there is nothing to set.
                let _ = self.rds.set_lag(GLOBAL_CLUSTER, region, lag);
            }
        }
    }
}

impl Database for Aurora {
    fn is_writable(&self, region: &RegionId) -> bool {
        self.clusters.get(region).is_some_and(|cluster| self.rds.is_writable(region, cluster))
    }

    fn lag(&self, replica: &RegionId) -> Duration {
        self.rds.lag(GLOBAL_CLUSTER, replica).unwrap_or_default()
    }

    fn promotions(&self, after: usize) -> Vec<Promotion> {
        let new = self.rds.promotions(GLOBAL_CLUSTER).into_iter().skip(after);
        new.map(|promotion| Promotion {
            at: promotion.at,
            region: promotion.region,
            epoch: Epoch(promotion.epoch),
            kind: match promotion.kind {
                rds::PromotionKind::Switchover => PromotionKind::Switchover,
                rds::PromotionKind::Failover => PromotionKind::Failover,
                rds::PromotionKind::Detach => PromotionKind::Detach,
            },
        })
        .collect()
    }

    fn is_replica(&self, region: &RegionId) -> bool {
        let roles = self.rds.roles(GLOBAL_CLUSTER);
        roles.is_some_and(|roles| roles.seats.iter().any(|s| s.region == *region && !s.is_writer && s.connected))
    }
}
