use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// Who decides how many replicas a workload has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "owner", rename_all = "kebab-case")]
pub enum WorkloadOwner {
    /// Nobody: the scale subresource is the truth.
    Scale,
    /// A horizontal pod autoscaler.
    Hpa {
        /// Its name.
        name: String,
        /// Its lower bound.
        min: u32,
        /// Its upper bound.
        max: u32,
    },
    /// KEDA's ScaledObject, which writes an autoscaler of its own.
    ScaledObject {
        /// Its name.
        name: String,
        /// Its lower bound.
        min: u32,
        /// Its upper bound.
        max: u32,
    },
}

impl WorkloadOwner {
    /// What it is with its name, and its bounds; none when nobody owns the count.
    #[must_use]
    pub fn bounds(&self) -> Option<(String, u32, u32)> {
        match self {
            Self::Scale => None,
            Self::Hpa { name, min, max } => Some((format!("the autoscaler {name}"), *min, *max)),
            Self::ScaledObject { name, min, max } => Some((format!("the ScaledObject {name}"), *min, *max)),
        }
    }
}

/// A workload in one region.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkloadFact {
    /// The resource.
    pub resource: ResourceId,
    /// Where it is.
    pub region: RegionId,
    /// Namespace and name.
    pub name: String,
    /// Who decides how many replicas it has.
    pub owner: WorkloadOwner,
    /// Replicas asked for.
    pub replicas: u32,
    /// Replicas available.
    pub available: u32,
    /// Replicas it must have to take the whole load.
    pub wanted: u32,
}
