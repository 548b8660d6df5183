//! What others think of the regions: shown beside the verdict, and never counted.

use std::{collections::BTreeMap, time::Duration};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};
use crate::model::{RegionId, ResourceKind, VantageId};

/// Somebody else's opinion of the regions, such as that of Route 53's health checkers. It is shown beside the verdict and
/// has no vote: nothing is required of it, and it can neither bring a verdict about nor keep one from being reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Opinion")]
pub struct OpinionSpec {
    /// Whose opinion it is, by a name of its own.
    #[schemars(extend("examples" = ["route53"]))]
    pub id: VantageId,
    /// How it is asked for: `aws.route53_checkers`, `aws.route53_metric` or `aws.cloudwatch_alarm`.
    #[schemars(extend("examples" = ["aws.route53_checkers"]))]
    pub kind: ResourceKind,
    /// What is asked about each region: the id of a health check, or the name of an alarm.
    #[schemars(extend("minProperties" = 1, "examples" = [{ "us-east-1": "11111111-2222-3333-4444-555555555555" }]))]
    pub targets: BTreeMap<RegionId, String>,
    /// Where an alarm is asked for. Default: in the region that it is about. Route 53 answers in us-east-1 alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["eu-central-1"]))]
    pub region: Option<RegionId>,
    /// How often it is asked for. Default: 30 s. Route 53's API allows an account five requests a second in all.
    #[serde(default = "half_a_minute", with = "duration")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
}

fn half_a_minute() -> Duration {
    Duration::from_secs(30)
}
