use dr_core::model::RegionId;
use serde::{Deserialize, Serialize};

use crate::arn::Arn;

/// From which cluster to which: what every step of the driver is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// The global cluster.
    pub global_cluster: String,
    /// The region of the cluster that writes before.
    pub from_region: RegionId,
    /// The cluster that writes before.
    pub from: Arn,
    /// The region of the cluster that writes after.
    pub to_region: RegionId,
    /// The cluster that writes after.
    pub to: Arn,
}

impl Route {
    /// The same, the other way round.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self {
            global_cluster: self.global_cluster.clone(),
            from_region: self.to_region.clone(),
            from: self.to.clone(),
            to_region: self.from_region.clone(),
            to: self.from.clone(),
        }
    }
}
