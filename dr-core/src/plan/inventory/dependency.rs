use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{RegionId, StepId};

/// What something is that a run, or what it brings up, reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DependencyKind {
    /// Data that a step reads.
    State,
    /// A secret.
    Secret,
    /// A key that something is encrypted with.
    Key,
    /// A container image.
    Image,
    /// The way into a cluster.
    Kubeconfig,
    /// A package, a template, a script.
    Artifact,
    /// A table or an object that is held as a lock.
    Lock,
    /// A queue.
    Queue,
    /// A setting.
    Config,
    /// Where backups are kept.
    BackupStorage,
    /// The state of an infrastructure tool.
    InfrastructureState,
}

impl fmt::Display for DependencyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::State => "state",
            Self::Secret => "secret",
            Self::Key => "key",
            Self::Image => "image",
            Self::Kubeconfig => "kubeconfig",
            Self::Artifact => "artifact",
            Self::Lock => "lock",
            Self::Queue => "queue",
            Self::Config => "config",
            Self::BackupStorage => "backup storage",
            Self::InfrastructureState => "infrastructure state",
        })
    }
}

/// Something that a run, or what it brings up, reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DependencyFact {
    /// What it is.
    pub kind: DependencyKind,
    /// Its name: an ARN, a path.
    pub name: String,
    /// The step that reads it; absent when the whole run, or a workload, does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<StepId>,
    /// The region that it lives in; absent when that is in none, or not known.
    pub home: Option<RegionId>,
    /// The regions that hold a copy which is read in its stead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub copies: Vec<RegionId>,
}
