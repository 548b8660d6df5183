use std::{borrow::Cow, collections::BTreeMap};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{Plane, RegionId};

/// One remote call that a step of a plan may make, with its endpoint and the arguments that safety depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// `rds:FailoverGlobalCluster`, `k8s:patch deployments/scale`.
    pub operation: Cow<'static, str>,
    /// The plane that serves it.
    pub plane: Plane,
    /// The regions whose endpoints can serve it; any one of them is enough.
    pub endpoints: Vec<RegionId>,
    /// Whether it changes anything.
    pub mutates: bool,
    /// The arguments that safety depends on, under the API's own names (`AllowDataLoss`, `TargetDbClusterIdentifier`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub args: BTreeMap<String, Value>,
    /// The command that a person would type instead, complete.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub manual: String,
}

impl Call {
    /// With one more argument.
    #[must_use]
    pub fn arg(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.args.insert(name.to_owned(), value.into());
        self
    }

    /// With the command that a person would type instead.
    #[must_use]
    pub fn by_hand(mut self, command: impl Into<String>) -> Self {
        self.manual = command.into();
        self
    }

    /// Whether the call cannot be made when `region` has lost its control planes.
    #[must_use]
    pub fn needs_control_plane_of(&self, region: &RegionId) -> bool {
        matches!(self.plane, Plane::Control | Plane::Kubernetes)
            && !self.endpoints.is_empty()
            && self.endpoints.iter().all(|endpoint| endpoint == region)
    }
}
