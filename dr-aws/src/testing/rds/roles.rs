use std::time::Duration;

use dr_core::model::{Plane, RegionId};

use super::{Promotion, Rds, Sync};
use crate::arn::Arn;

/// Who plays which part in a global database, as its storage and instances see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roles {
    /// The number of changes of writer so far.
    pub epoch: u64,
    /// The last of them.
    pub last: Option<Promotion>,
    /// The clusters, in the order that they joined; detached ones are no longer among them.
    pub seats: Vec<Seat>,
}

/// One cluster's part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seat {
    /// Its region.
    pub region: RegionId,
    /// Its ARN.
    pub arn: Arn,
    /// Whether it is the primary.
    pub is_writer: bool,
    /// Whether a client that reaches it can write; see [`Rds::is_writable`].
    pub writable: bool,
    /// Whether it follows the primary.
    pub connected: bool,
    /// How far it follows behind, when it does.
    pub lag: Duration,
    /// How many times its volume was rebuilt from the primary's: whatever it held of its own is gone at each.
    pub rebuilt: u64,
}

/// The data plane, for those who play the database.
impl Rds {
    /// The primary of a global database, by role: whether it can be written to is [`is_writable`](Self::is_writable).
    #[must_use]
    pub fn writer(&self, global: &str) -> Option<(RegionId, Arn)> {
        let state = self.state();
        state.global(global).ok()?.writer().map(|writer| (writer.region.clone(), writer.arn.clone()))
    }

    /// Whether a client that reaches the cluster (by identifier or ARN) in its region can write to it.
    ///
    /// True of two clusters at once after a detach, or after a failover whose fencing was [broken](Self::break_fencing).
    #[must_use]
    pub fn is_writable(&self, region: &RegionId, cluster: &str) -> bool {
        let state = self.state();
        let Ok(found) = state.regional_cluster(region, cluster) else { return false };
        self.live().serves(region, Plane::Data) && state.accepts_writes(&found.arn)
    }

    /// Whether a member's storage follows the primary at this moment: both are in sync and both regions serve.
    #[must_use]
    pub fn is_replicating(&self, global: &str, region: &RegionId) -> bool {
        let state = self.state();
        let Ok(global) = state.global(global) else { return false };
        let Some(writer) = global.writer() else { return false };
        global.secondaries().any(|member| member.region == *region && member.sync == Sync::Connected)
            && self.live().serves(region, Plane::Data)
            && self.live().serves(&writer.region, Plane::Data)
    }

    /// Who plays which part, with the epoch that grows at each change of writer.
    #[must_use]
    pub fn roles(&self, global: &str) -> Option<Roles> {
        let state = self.state();
        let found = state.global(global).ok()?;
        let seats = found.members.iter().map(|member| Seat {
            region: member.region.clone(),
            arn: member.arn.clone(),
            is_writer: member.is_writer,
            writable: self.live().serves(&member.region, Plane::Data) && state.accepts_writes(&member.arn),
            connected: member.sync == Sync::Connected,
            lag: member.lag,
            rebuilt: member.rebuilt,
        });
        Some(Roles { epoch: found.epoch(), last: found.promotions.last().cloned(), seats: seats.collect() })
    }

    /// Every change of writer, oldest first, detached clusters included.
    #[must_use]
    pub fn promotions(&self, global: &str) -> Vec<Promotion> {
        self.state().global(global).map(|global| global.promotions.clone()).unwrap_or_default()
    }

    /// How far a region's secondary follows behind.
    #[must_use]
    pub fn lag(&self, global: &str, secondary: &RegionId) -> Option<Duration> {
        let state = self.state();
        let found = state.global(global).ok()?;
        found.secondaries().find(|member| member.region == *secondary).map(|member| member.lag)
    }
}
