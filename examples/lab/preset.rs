//! The ways in which a drill loses a region, by name.

use std::{fmt, str::FromStr};

use dr_core::{
    model::{Plane, RegionId},
    testing::{Fault, FaultBoard, FaultRule},
};
use serde::{Deserialize, Serialize};

/// A fault of a whole region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FaultPreset {
    /// Every connection to the region is refused: application, data, its API, its clusters' API. With `us-east-1` goes Route 53's API.
    Refuse,
    /// The same, and nothing is ever answered: what a lost region looks like from outside.
    #[default]
    Blackhole,
    /// Orders fail while reads and `/health` are fine: what shallow checks do not see.
    Gray,
    /// The region's API and its clusters' API are gone while the application goes on, as on 7 December 2021.
    ControlPlane,
}

impl FaultPreset {
    /// Every preset.
    pub const ALL: [Self; 4] = [Self::Refuse, Self::Blackhole, Self::Gray, Self::ControlPlane];

    /// The name, as on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Blackhole => "blackhole",
            Self::Gray => "gray",
            Self::ControlPlane => "control-plane",
        }
    }

    /// Throws the switches.
    pub fn apply(self, board: &FaultBoard, region: &RegionId) {
        match self {
            Self::Refuse => board.switch_region(region, Some(Fault::Refuse)),
            Self::Blackhole => board.switch_region(region, Some(Fault::BlackHole)),
            Self::Gray => {
                let rule = FaultRule::new(Fault::ServerError).at(region.clone()).in_plane(Plane::Application);
                board.add(rule.on("app:POST /orders"));
            }
            Self::ControlPlane => {
                board.switch(region, Plane::Control, Some(Fault::BlackHole));
                board.switch(region, Plane::Kubernetes, Some(Fault::BlackHole));
            }
        }
    }
}

impl fmt::Display for FaultPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// No preset has this name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownPreset(String);

impl fmt::Display for UnknownPreset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = FaultPreset::ALL.map(FaultPreset::as_str).join(", ");
        write!(f, "no fault is called {:?}: there are {known}", self.0)
    }
}

impl std::error::Error for UnknownPreset {}

impl FromStr for FaultPreset {
    type Err = UnknownPreset;

    fn from_str(raw: &str) -> Result<Self, UnknownPreset> {
        Self::ALL.into_iter().find(|preset| preset.as_str() == raw).ok_or_else(|| UnknownPreset(raw.to_owned()))
    }
}

/// What is to go wrong: a preset, single rules, or both.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FaultRequest {
    /// A whole region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub preset: Option<FaultPreset>,
    /// Which region the preset strikes; the active one by default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Single calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<FaultRule>,
}

impl From<FaultPreset> for FaultRequest {
    fn from(preset: FaultPreset) -> Self {
        Self { preset: Some(preset), ..Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use dr_core::testing::CallSite;

    use super::*;

    #[test]
    fn a_gray_region_fails_orders_and_nothing_else() {
        let region = RegionId::new("us-east-1").unwrap();
        let board = FaultBoard::new();
        FaultPreset::Gray.apply(&board, &region);
        let decide = |plane, operation| board.decide(&CallSite { region: &region, plane, operation });
        assert_eq!(decide(Plane::Application, "app:POST /orders"), Some(Fault::ServerError));
        assert_eq!(decide(Plane::Application, "app:GET /orders/{id}"), None);
        assert_eq!(decide(Plane::Application, "app:GET /health"), None);
        assert_eq!(decide(Plane::Control, "rds:DescribeGlobalClusters"), None);
    }

    #[test]
    fn presets_have_one_name_each() {
        for preset in FaultPreset::ALL {
            assert_eq!(preset.as_str().parse(), Ok(preset));
            assert_eq!(serde_json::to_value(preset).unwrap(), preset.as_str());
        }
        assert!("grey".parse::<FaultPreset>().unwrap_err().to_string().contains("gray"));
    }
}
