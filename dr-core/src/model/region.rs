use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::RegionId;

/// What a region is for, in steady state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RegionRole {
    /// Serves traffic and holds the writers.
    Active,
    /// Runs at reduced size, ready to take over.
    WarmStandby,
    /// Holds infrastructure and data, but no running services.
    PilotLight,
    /// Serves nothing: observes, and holds the journal and the tie-breaking vote.
    Witness,
}

impl RegionRole {
    /// Whether a failover can target a region of this role.
    #[must_use]
    pub const fn can_take_over(self) -> bool {
        matches!(self, Self::WarmStandby | Self::PilotLight | Self::Active)
    }
}

impl fmt::Display for RegionRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Active => "active",
            Self::WarmStandby => "warm-standby",
            Self::PilotLight => "pilot-light",
            Self::Witness => "witness",
        })
    }
}

/// A region of the topology.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Region {
    /// Its provider's name.
    pub id: RegionId,
    /// What it is for.
    pub role: RegionRole,
}
