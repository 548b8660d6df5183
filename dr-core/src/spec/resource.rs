//! A resource as written: the common part, and the block that only its driver understands.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Resource, ResourceId, ResourceKind};

/// A resource of `dr.yaml`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Resource")]
pub struct ResourceSpec {
    /// The resource's name, from which its steps are named.
    #[schemars(extend("examples" = ["orders-db"]))]
    pub id: ResourceId,
    /// The kind, which names the driver.
    #[schemars(extend("examples" = ["aws.aurora_global"]))]
    pub kind: ResourceKind,
    /// Resources whose steps come before this one's, within a phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["orders-db"]]))]
    pub depends_on: Vec<ResourceId>,
    /// What the driver needs to know; see the driver's own documentation.
    #[schemars(with = "serde_json::Map<String, serde_json::Value>")]
    pub spec: serde_json::Value,
}

impl From<ResourceSpec> for Resource {
    fn from(written: ResourceSpec) -> Self {
        Self { id: written.id, kind: written.kind, depends_on: written.depends_on, spec: written.spec }
    }
}
