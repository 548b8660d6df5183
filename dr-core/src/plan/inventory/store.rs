use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// What a store is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StoreKind {
    /// A database.
    Database,
    /// A cache that holds what is nowhere else: sessions, carts.
    Cache,
    /// A queue or a stream.
    Queue,
}

/// A store whose writer lives in one region at a time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StoreFact {
    /// The resource.
    pub resource: ResourceId,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<StoreKind>,
    /// Whether traffic needs it writable.
    pub writable_required: bool,
    /// Its members, one a region.
    pub members: Vec<StoreMember>,
    /// What its contract or its configuration says that it loses at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss_bound: Option<LossBound>,
}

impl StoreFact {
    /// A store of which nothing else is known yet.
    #[must_use]
    pub fn new(resource: ResourceId, writable_required: bool) -> Self {
        Self { resource, kind: None, writable_required, members: Vec::new(), loss_bound: None }
    }

    /// The member in a region.
    #[must_use]
    pub fn member(&self, region: &RegionId) -> Option<&StoreMember> {
        self.members.iter().find(|member| member.region == *region)
    }
}

/// A bound on what a store loses when its writer's region is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LossBound {
    /// No more than the writes of this long.
    pub within: Duration,
    /// What says so: `rds.global_db_rpo`, S3 replication time control.
    pub source: String,
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
    /// Where that sample comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_source: Option<LagSource>,
    /// `rds.global_db_rpo` in this member's own parameter group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo_parameter: Option<RpoParameter>,
}

impl StoreMember {
    /// A member of which nothing else is known yet.
    #[must_use]
    pub fn new(region: RegionId, address: impl Into<String>) -> Self {
        Self {
            region,
            address: address.into(),
            writer: None,
            available_instances: None,
            engine_version: None,
            synchronised: None,
            lag: None,
            lag_source: None,
            rpo_parameter: None,
        }
    }
}

/// What tells how far a member is behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "source", rename_all = "kebab-case")]
pub enum LagSource {
    /// Nothing measures it.
    Missing,
    /// A metric.
    Sampled {
        /// How often it has a sample.
        period: Duration,
        /// How old the newest sample was at the survey; absent when there was none.
        age: Option<Duration>,
    },
}

/// A parameter that blocks commits when every secondary is further behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "parameter", rename_all = "kebab-case")]
pub enum RpoParameter {
    /// At its default: it blocks nothing.
    Default,
    /// Set.
    Set {
        /// The lag from which commits wait.
        within: Duration,
    },
}
