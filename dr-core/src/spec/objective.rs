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
}

impl From<ObjectivesSpec> for Objectives {
    fn from(written: ObjectivesSpec) -> Self {
        Self { rto: written.rto, rpo: written.rpo }
    }
}
