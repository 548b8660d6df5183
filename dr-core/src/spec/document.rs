//! The whole of `dr.yaml`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    ApprovalsSpec, DecisionSpec, DetectionSpec, JournalSpec, ObjectivesSpec, ObserverSpec, OpinionSpec, ProbeSpec,
    RegionSpec, ResourceSpec, RunnerSpec, ServiceSpec, TimeoutsSpec, Waiver,
};
use crate::model::{ApplicationId, RegionId};

/// What a user writes: one application, where it runs, and how it is brought over when a region is lost.
///
/// A value that came out of [`SpecLoader`](super::SpecLoader) has no dangling name, no cycle and no impossible
/// duration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "dr.yaml")]
pub struct Spec {
    /// The application that fails over as one.
    #[schemars(extend("examples" = ["ecommerce"]))]
    pub application: ApplicationId,
    /// The base URL that clients use, whichever region serves.
    #[schemars(regex(pattern = "^https?://[^/ ]+"), extend("examples" = ["https://api.example.com"]))]
    pub endpoint: String,
    /// What the business asked for.
    pub objectives: ObjectivesSpec,
    /// The regions.
    #[schemars(length(min = 1))]
    pub regions: Vec<RegionSpec>,
    /// The places that observe: three or more, one of them in a witness region.
    #[schemars(length(min = 1))]
    pub observers: Vec<ObserverSpec>,
    /// What others think of the regions, such as Route 53: shown beside the verdict, and never counted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub opinions: Vec<OpinionSpec>,
    /// What every observer probes.
    #[schemars(length(min = 1))]
    pub probes: Vec<ProbeSpec>,
    /// When observers together call a region lost.
    pub detection: DetectionSpec,
    /// When to fail over, and when not to. Default: somebody starts it by hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DecisionSpec")]
    pub decision: Option<DecisionSpec>,
    /// The services that run in each region.
    #[serde(default)]
    pub services: Vec<ServiceSpec>,
    /// What has to be moved from region to region.
    #[schemars(length(min = 1))]
    pub resources: Vec<ResourceSpec>,
    /// Who runs the plan.
    pub runner: RunnerSpec,
    /// Where runs are written down.
    pub journal: JournalSpec,
    /// Where a run asks a person. Default: before the point of no return and before failback, not in drills.
    #[serde(default)]
    pub approvals: ApprovalsSpec,
    /// How long things may take. Default: 8 s a call, 15 min a step, 1 h a run.
    #[serde(default)]
    pub timeouts: TimeoutsSpec,
    /// Rules of the lint that somebody decided to break.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
}

impl Spec {
    /// The region of that name.
    #[must_use]
    pub fn region(&self, id: &RegionId) -> Option<&RegionSpec> {
        self.regions.iter().find(|region| region.id == *id)
    }
}
