use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{RegionId, ResourceId};

/// How a backup holds the contents of volumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum VolumeCopy {
    /// It holds none.
    None,
    /// As files in the backup's own storage.
    Files,
    /// As snapshots whose data was moved into the backup's own storage.
    MovedSnapshots,
    /// As snapshots that stay in the region where they were taken.
    Snapshots,
}

/// A backup of a cluster's objects, as the cluster that would restore it sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BackupFact {
    /// The resource.
    pub resource: ResourceId,
    /// Its name.
    pub name: String,
    /// The schedule that made it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
    /// The region of the cluster that it was made of.
    pub source: RegionId,
    /// The region of the storage that holds it.
    pub location: Option<RegionId>,
    /// Whether the restoring cluster may only read that storage.
    pub read_only: Option<bool>,
    /// Its phase, as Velero writes it: `Completed`.
    pub phase: Option<String>,
    /// How it holds volumes.
    pub volumes: Option<VolumeCopy>,
    /// Whether it holds Services of type LoadBalancer or Ingresses, which make load balancers when they are restored.
    pub load_balancers: Option<bool>,
    /// How often one is made.
    pub interval: Option<Duration>,
    /// How long making one takes.
    pub duration: Option<Duration>,
}

impl BackupFact {
    /// A backup of which nothing else is known yet.
    #[must_use]
    pub fn new(resource: ResourceId, name: impl Into<String>, source: RegionId) -> Self {
        Self {
            resource,
            name: name.into(),
            schedule: None,
            source,
            location: None,
            read_only: None,
            phase: None,
            volumes: None,
            load_balancers: None,
            interval: None,
            duration: None,
        }
    }
}

/// A Kubernetes cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClusterFact {
    /// Where it is.
    pub region: RegionId,
    /// The minor number of its version: 33 for 1.33.
    pub kubernetes_minor: Option<u32>,
}
