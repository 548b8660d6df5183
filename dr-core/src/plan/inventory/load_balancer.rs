use serde::{Deserialize, Serialize};

use crate::model::RegionId;

/// A load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadBalancerFact {
    /// Its name, unique in the inventory.
    pub name: String,
    /// Where it is.
    pub region: RegionId,
    /// Where it sends requests.
    pub target_groups: Vec<TargetGroupFact>,
    /// What it listens with; empty when that is not known.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<ListenerFact>,
}

/// A group of targets behind a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetGroupFact {
    /// Its name.
    pub name: String,
    /// The service whose pods or instances are in it; the group's own name counts when that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// Targets registered.
    pub registered: Option<u32>,
    /// Targets healthy.
    pub healthy: Option<u32>,
}

/// A version of TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum TlsVersion {
    /// 1.0.
    #[serde(rename = "1.0")]
    V1_0,
    /// 1.1.
    #[serde(rename = "1.1")]
    V1_1,
    /// 1.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// 1.3.
    #[serde(rename = "1.3")]
    V1_3,
}

/// An encrypted listener of a load balancer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerFact {
    /// Its port.
    pub port: u16,
    /// The name of its TLS policy.
    pub policy: String,
    /// The oldest version that it accepts.
    pub oldest: Option<TlsVersion>,
}
