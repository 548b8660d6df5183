use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// Room in a region for what a plan scales up there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapacityFact {
    /// The resource whose workloads need the room.
    pub resource: ResourceId,
    /// Where.
    pub region: RegionId,
    /// What is counted: `pods`, `millicores`, `MiB`.
    pub unit: String,
    /// How much more than now is needed. When absent and pods are counted, it follows from the workloads.
    pub needed: Option<u64>,
    /// How much is free on machines that run.
    pub free: Option<u64>,
    /// How much is promised beyond that: reservations, placeholder pods that give way.
    pub reserved: Option<u64>,
}
