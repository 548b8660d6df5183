use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of a region that can fail by itself.
///
/// Static stability rests on the first two: a plan that leaves a region must not need that region's
/// control plane (AWS, "Static stability using Availability Zones" and Fault Isolation Boundaries).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Plane {
    /// What serves: stored objects, database connections, DNS answers.
    Data,
    /// What changes things: the provider's API.
    Control,
    /// The cluster's API server.
    Kubernetes,
    /// The users' own software.
    Application,
}

impl Plane {
    /// Every plane.
    pub const ALL: [Self; 4] = [Self::Data, Self::Control, Self::Kubernetes, Self::Application];

    /// The name, as written in `dr.yaml` and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Control => "control",
            Self::Kubernetes => "kubernetes",
            Self::Application => "application",
        }
    }
}

impl fmt::Display for Plane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
