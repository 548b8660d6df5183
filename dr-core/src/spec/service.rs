//! The services that run in each region.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::ServiceId;

/// How many replicas a service keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Replicas")]
pub struct ReplicasSpec {
    /// In a region that stands by. At least 1 in a warm standby; 0 in a pilot light.
    #[schemars(range(max = 100_000), extend("examples" = [1]))]
    pub standby: u32,
    /// In the region that serves.
    #[schemars(range(min = 1, max = 100_000), extend("examples" = [3]))]
    pub full: u32,
}

/// A service of `dr.yaml`: one workload, under the same name in every region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Service")]
pub struct ServiceSpec {
    /// The service's name.
    #[schemars(extend("examples" = ["cart"]))]
    pub id: ServiceId,
    /// The Kubernetes namespace of its Deployment.
    #[schemars(length(min = 1, max = 63), extend("examples" = ["production"]))]
    pub namespace: String,
    /// The name of its Deployment. Default: the service's own name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 253), extend("examples" = ["cart"]))]
    pub deployment: Option<String>,
    /// How many replicas it keeps.
    pub replicas: ReplicasSpec,
}

impl ServiceSpec {
    /// The name of the service's Deployment.
    #[must_use]
    pub fn deployment(&self) -> &str {
        self.deployment.as_deref().unwrap_or(self.id.as_str())
    }
}
