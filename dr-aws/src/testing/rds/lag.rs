//! The lag metrics, which are the only place where AWS tells how far a secondary follows behind.

use std::time::Duration;

use dr_core::model::{Plane, RegionId};

use super::State;
use crate::testing::Health;

/// A lag metric of namespace `AWS/RDS`, in milliseconds, dimension `DBClusterIdentifier`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LagMetric {
    /// `AuroraGlobalDBRPOLag`: user transactions; Aurora PostgreSQL, and Aurora MySQL from 3.04.
    Rpo,
    /// `AuroraGlobalDBReplicationLag`: storage.
    Replication,
}

impl LagMetric {
    /// Every one.
    pub const ALL: [Self; 2] = [Self::Rpo, Self::Replication];

    /// The metric's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rpo => "AuroraGlobalDBRPOLag",
            Self::Replication => "AuroraGlobalDBReplicationLag",
        }
    }
}

impl State {
    /// The lag that a region publishes at this moment: a value for each secondary that lives there and follows a primary
    /// whose region still serves. AWS's texts differ on the region; this double publishes in the secondary's, and nothing
    /// at all once the primary is lost, which is when a stale zero would be most dangerous.
    #[must_use]
    pub fn lag_in(&self, region: &RegionId, health: Health<'_>) -> Vec<(String, Duration)> {
        let mut rows = Vec::new();
        for global in self.globals.values() {
            let Some(writer) = global.writer() else { continue };
            if !health(&writer.region, Plane::Data) || !health(region, Plane::Data) {
                continue;
            }
            let connected = |sync: super::Sync| sync == super::Sync::Connected;
            for member in global.secondaries().filter(|member| member.region == *region && connected(member.sync)) {
                if let Some(cluster) = self.clusters.get(&member.arn) {
                    rows.push((cluster.id.clone(), member.lag));
                }
            }
        }
        rows
    }
}
