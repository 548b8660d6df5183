use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::RegionId;

/// An image that a workload runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageFact {
    /// Namespace and name of the workload.
    pub workload: String,
    /// The region that it runs in.
    pub region: RegionId,
    /// The image, as the workload names it.
    pub reference: String,
    /// The digest that runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub digest: Option<String>,
    /// The region of the registry that it is pulled from; absent when that is in none, or not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home: Option<RegionId>,
    /// Whether the digest is in the registry of a region, for the regions that were looked at.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub copies: BTreeMap<RegionId, bool>,
}
