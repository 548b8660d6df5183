use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// What the drivers saw of the world before planning, in words that lint understands whatever the provider.
///
/// Absent means unknown, never zero.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Inventory {
    /// Stores of data that follow a writer.
    #[serde(default)]
    pub stores: Vec<StoreFact>,
    /// Names that clients follow.
    #[serde(default)]
    pub traffic: Vec<TrafficFact>,
    /// Workloads that serve.
    #[serde(default)]
    pub workloads: Vec<WorkloadFact>,
    /// What could not be seen, for a person.
    #[serde(default)]
    pub unknown: Vec<String>,
}

impl Inventory {
    /// The store of a resource.
    #[must_use]
    pub fn store(&self, resource: &ResourceId) -> Option<&StoreFact> {
        self.stores.iter().find(|store| store.resource == *resource)
    }

    /// Adds everything that another look saw.
    pub fn merge(&mut self, other: Self) {
        self.stores.extend(other.stores);
        self.traffic.extend(other.traffic);
        self.workloads.extend(other.workloads);
        self.unknown.extend(other.unknown);
    }
}

/// A store whose writer lives in one region at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreFact {
    /// The resource.
    pub resource: ResourceId,
    /// Whether traffic needs it writable.
    pub writable_required: bool,
    /// Its members, one a region.
    pub members: Vec<StoreMember>,
}

impl StoreFact {
    /// The member in a region.
    #[must_use]
    pub fn member(&self, region: &RegionId) -> Option<&StoreMember> {
        self.members.iter().find(|member| member.region == *region)
    }
}

/// One region's part of a store.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreMember {
    /// Where it is.
    pub region: RegionId,
    /// Its provider's address: an ARN, a replication group id.
    pub address: String,
    /// Whether it is the writer.
    pub writer: Option<bool>,
    /// Instances that could take over.
    pub available_instances: Option<u32>,
    /// The engine's version, as its provider writes it.
    pub engine_version: Option<String>,
    /// Whether it follows the writer.
    pub synchronised: Option<bool>,
    /// How far it was behind the writer at the last sample.
    pub lag: Option<Duration>,
}

/// How the health of a failover record's primary is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "check", rename_all = "kebab-case")]
pub enum CheckFact {
    /// No health check.
    None,
    /// Polls the endpoint: flips, and flips back, by itself.
    Endpoint {
        /// The name that it polls.
        fqdn: String,
    },
    /// An inverted check on an object in the standby region: a latch that data-plane calls set and clear.
    StandbyTakesOver {
        /// The region that holds the object.
        region: RegionId,
    },
    /// A routing control.
    RecoveryControl,
    /// Anything else, by its provider's name.
    Other {
        /// The provider's name of the type.
        kind: String,
    },
}

/// A public name and how it moves.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrafficFact {
    /// The resource.
    pub resource: ResourceId,
    /// The name that clients use.
    pub name: String,
    /// How the primary's health is judged.
    pub primary_check: CheckFact,
    /// Whether the secondary could be answered now.
    pub secondary_eligible: Option<bool>,
    /// How long resolvers keep an answer.
    pub ttl: Duration,
}

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
