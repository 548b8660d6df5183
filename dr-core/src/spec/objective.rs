//! What the business asked for, as written.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};
use crate::model::Objectives;

/// The recovery objectives of `dr.yaml`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Objectives")]
pub struct ObjectivesSpec {
    /// Recovery time objective: the longest that clients may go without service.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub rto: Duration,
    /// Recovery point objective: the oldest acknowledged write that may be lost.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub rpo: Duration,
    /// When a run has recovered the application. Without it a run ends with its last step, and its recovery time is not
    /// known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "RecoveredSpec")]
    pub recovered: Option<RecoveredSpec>,
}

/// When a run has recovered the application: the region that took over is judged healthy, and stays so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Recovered")]
pub struct RecoveredSpec {
    /// How long it must stay healthy without a break.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub stays: Duration,
    /// How long after its last step a run watches; if health has not stayed green by then, the run fails.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub within: Duration,
}

impl From<ObjectivesSpec> for Objectives {
    fn from(written: ObjectivesSpec) -> Self {
        Self { rto: written.rto, rpo: written.rpo }
    }
}
