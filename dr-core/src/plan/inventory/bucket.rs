use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// A bucket whose objects are copied to another region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BucketFact {
    /// The resource.
    pub resource: ResourceId,
    /// The bucket's name.
    pub name: String,
    /// Where it is.
    pub region: RegionId,
    /// Whether clients write to it when traffic is in its region.
    pub written: bool,
    /// Whether a rule copies from it to the other region's bucket.
    pub replicates: Option<bool>,
    /// Whether that rule measures what is still to be copied.
    pub metrics: Option<bool>,
    /// Whether copying is promised within 15 minutes (S3 replication time control).
    pub time_control: Option<bool>,
}
