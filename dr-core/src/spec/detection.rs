//! Who observes, and when observers together call a region lost.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};
use crate::model::{RegionId, VantageId};

/// An observer of `dr.yaml`: a place from which every probe runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Observer")]
pub struct ObserverSpec {
    /// The observer's name.
    #[schemars(extend("examples" = ["witness"]))]
    pub id: VantageId,
    /// The region it runs in.
    #[schemars(extend("examples" = ["eu-central-1"]))]
    pub region: RegionId,
    /// A `host:port` that answers when both regions are lost. An observer that cannot reach it has no vote: it is itself
    /// what is cut off. Needed to watch; not needed to plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["one.one.one.one:443"]))]
    pub control: Option<String>,
    /// Where the observer's readings are pulled from, when it runs in a process of its own elsewhere. Without it, it runs
    /// in the process that decides, and shares its fate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        with = "String",
        extend("pattern" = "^https?://[^/@? ]+", "examples" = ["https://observer.eu-central-1.example.com:7340"])
    )]
    pub url: Option<String>,
    /// The Ed25519 public key that its readings must be signed by, in hexadecimal or base64; or a file that holds it, in
    /// PEM too. Needed with `url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="]))]
    pub key: Option<String>,
}

/// When observers together call a region lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Detection")]
pub struct DetectionSpec {
    /// How many observers must agree: more than half of them.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [2]))]
    pub quorum: u32,
    /// How long they must keep agreeing before the verdict stands.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub dwell: Duration,
    /// After a failover, how long no other may start by itself.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub hold_down: Duration,
    /// How long reads may be fine while writes fail, or the reverse, before the region counts as lost. Default: 30 s.
    #[serde(default = "gray_dwell", with = "duration")]
    #[schemars(with = "DurationText")]
    pub gray_dwell: Duration,
}

fn gray_dwell() -> Duration {
    Duration::from_secs(30)
}
