//! Regions and the endpoints in them.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{RegionId, RegionRole};

/// The endpoint that probes use when they name none.
pub const APPLICATION_ENDPOINT: &str = "application";

/// A region of `dr.yaml`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Region")]
pub struct RegionSpec {
    /// The provider's name of the region.
    #[schemars(extend("examples" = ["us-east-1"]))]
    pub id: RegionId,
    /// What the region is for in steady state. One region is active, at least one can take over, and a witness
    /// observes and holds the journal.
    pub role: RegionRole,
    /// Base URLs in this region by name. `application` is the regional front that probes use when they name no other;
    /// what else is here belongs to the drivers. An empty URL counts as not given.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("examples" = [{ "application": "https://api-us-east-1.example.com" }]))]
    pub endpoints: BTreeMap<String, String>,
}

impl RegionSpec {
    /// The endpoint of that name, unless it is absent or empty.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Option<&str> {
        self.endpoints.get(name).map(String::as_str).filter(|url| !url.is_empty())
    }
}
