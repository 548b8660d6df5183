use dr_core::model::RegionId;
use serde::{Deserialize, Serialize};

/// From which replication group to which: what every step of the driver is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheRoute {
    /// The global datastore, with its prefix.
    pub datastore: String,
    /// The region of the group that is primary before.
    pub from_region: RegionId,
    /// The group that is primary before.
    pub from: String,
    /// The region of the group that is primary after.
    pub to_region: RegionId,
    /// The group that is primary after.
    pub to: String,
}
