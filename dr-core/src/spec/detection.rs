//! Who observes, and when observers together call a region lost.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};
use crate::{
    detect::{Damping, Suspicion},
    model::{RegionId, VantageId},
};

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
    /// How long infrastructure checks may pass while writes fail before the region counts as lost. Default: 30 s.
    #[serde(default = "gray_dwell", with = "duration")]
    #[schemars(with = "DurationText")]
    pub gray_dwell: Duration,
    /// How long infrastructure checks may fail while writes pass before the region counts as lost. Default: for ever,
    /// because clients of such a region are served, and leaving it would be the outage.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    #[schemars(with = "DurationText")]
    pub checks_fail_dwell: Option<Duration>,
    /// When a verdict that keeps changing is not acted on.
    #[serde(default, skip_serializing_if = "is_default")]
    pub damping: DampingSpec,
    /// When a wait for an answer is suspicious. A suspicion starts what is cheap and can be undone, and nothing else.
    #[serde(default, skip_serializing_if = "is_default")]
    pub suspicion: SuspicionSpec,
}

fn is_default<T: Default + PartialEq>(it: &T) -> bool {
    *it == T::default()
}

/// Flap damping: each change between unhealthy and not adds a penalty, which halves with every half-life; see RFC 2439.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Damping")]
pub struct DampingSpec {
    /// What each change adds. Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000), extend("examples" = [1000]))]
    pub penalty: u32,
    /// From which penalty on the verdict is not acted on. Default: 3000.
    #[schemars(range(min = 1, max = 1_000_000), extend("examples" = [3000]))]
    pub suppress: u32,
    /// At which penalty it is acted on again. Default: 1000.
    #[schemars(range(min = 1, max = 1_000_000), extend("examples" = [1000]))]
    pub reuse: u32,
    /// In what time a penalty halves. Default: 10 min.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub half_life: Duration,
    /// The longest that a verdict is not acted on after its last change. Default: 1 h.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub max_suppress: Duration,
}

impl Default for DampingSpec {
    fn default() -> Self {
        let Damping { penalty, suppress, reuse, half_life, max_suppress } = Damping::default();
        Self { penalty, suppress, reuse, half_life, max_suppress }
    }
}

impl From<DampingSpec> for Damping {
    fn from(spec: DampingSpec) -> Self {
        let DampingSpec { penalty, suppress, reuse, half_life, max_suppress } = spec;
        Self { penalty, suppress, reuse, half_life, max_suppress }
    }
}

/// Suspicion by waiting: how unlikely a wait has to be, given the waits before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Suspicion")]
pub struct SuspicionSpec {
    /// The phi from which an observer suspects: 8 is a wait that comes by chance once in 10^8 looks. Default: 8.
    #[schemars(range(min = 1, max = 300), extend("examples" = [8]))]
    pub phi: u32,
    /// The least standard deviation of the waits that is believed. Default: 500 ms.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub min_deviation: Duration,
    /// How many waits are remembered. Default: 128.
    #[schemars(range(min = 8, max = 10_000), extend("examples" = [128]))]
    pub samples: u32,
}

impl Default for SuspicionSpec {
    fn default() -> Self {
        let Suspicion { phi, min_deviation, samples } = Suspicion::default();
        Self { phi, min_deviation, samples }
    }
}

impl From<SuspicionSpec> for Suspicion {
    fn from(spec: SuspicionSpec) -> Self {
        let SuspicionSpec { phi, min_deviation, samples } = spec;
        Self { phi, min_deviation, samples }
    }
}

fn gray_dwell() -> Duration {
    Duration::from_secs(30)
}
