use serde::{Deserialize, Serialize};

/// A content distribution in front of the regions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DistributionFact {
    /// Its id.
    pub id: String,
    /// Its behaviours, in the order they are tried.
    pub behaviours: Vec<BehaviourFact>,
}

/// What a distribution does with the requests of a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BehaviourFact {
    /// The pattern of paths.
    pub path: String,
    /// The methods that it lets through.
    pub methods: Vec<String>,
    /// The group of origins that it fails over in; absent when it has one origin.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin_group: Option<String>,
}
