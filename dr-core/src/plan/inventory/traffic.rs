use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

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
    /// The id of the zone that holds the name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<String>,
    /// The operations that move the name in a real failover; empty when that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub switched_by: Vec<String>,
    /// How long after the switch every authoritative server answers anew, at worst.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<Duration>,
    /// The records of the name, as far as they are known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RecordFact>,
}

impl TrafficFact {
    /// A name of which nothing else is known yet.
    #[must_use]
    pub fn new(resource: ResourceId, name: impl Into<String>, primary_check: CheckFact, ttl: Duration) -> Self {
        Self {
            resource,
            name: name.into(),
            primary_check,
            secondary_eligible: None,
            ttl,
            zone: None,
            switched_by: Vec::new(),
            publication: None,
            records: Vec::new(),
        }
    }
}

/// Which of a pair of failover records one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordRole {
    /// Answered while it is healthy, and when neither is.
    Primary,
    /// Answered when the primary is unhealthy and it is healthy itself.
    Secondary,
}

/// One failover record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordFact {
    /// Which of the pair.
    pub role: RecordRole,
    /// The region that it leads to.
    pub region: RegionId,
    /// What it is an alias of; absent for plain addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<AliasFact>,
    /// The id of its health check; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check: Option<String>,
    /// Whether that check counts as healthy now, inversion included.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub check_healthy: Option<bool>,
}

/// What an alias record points at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasFact {
    /// The name that it points at.
    pub target: String,
    /// Whether the target's own health decides about the record (`EvaluateTargetHealth`).
    pub evaluates_target_health: Option<bool>,
    /// The load balancer, by its [`name`](super::LoadBalancerFact::name).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load_balancer: Option<String>,
}
