use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Distribution;
use crate::{
    model::{ApplicationId, ProbeId, StepId, VantageId},
    plan::Phase,
    spec::{
        ObjectivesSpec, SpecErrors,
        duration::{self as text, DurationText},
        read_as,
    },
};

/// Everything that a prediction depends on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "A model of a failover")]
pub struct Model {
    /// Whose failover it is.
    #[schemars(extend("examples" = ["ecommerce"]))]
    pub application: ApplicationId,
    /// What everything is drawn from: the same seed gives the same drills.
    #[schemars(extend("examples" = [1]))]
    pub seed: u64,
    /// How many drills are played.
    #[schemars(range(min = 1, max = 10_000_000), extend("examples" = [10_000]))]
    pub drills: u32,
    /// What the business asked for.
    pub objectives: ObjectivesSpec,
    /// How the loss is noticed; nothing has to be noticed when it is absent, as in a switchover.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DetectionModel")]
    pub detection: Option<DetectionModel>,
    /// From the verdict to the first step: a person's yes.
    pub decision: Distribution,
    /// The plan's steps, each after all those it waits for.
    pub steps: Vec<StepModel>,
    /// The run ends by then, counted from its first step.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub deadline: Duration,
    /// How clients learn of the new region.
    pub traffic: TrafficModel,
    /// Who is served.
    pub clients: ClientModel,
    /// How far the standby is behind. The recovery point is unknown when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ReplicationModel")]
    pub replication: Option<ReplicationModel>,
}

/// What a look at the lost region runs into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Symptom {
    /// Every look is answered at once, with no.
    Refused,
    /// Every look runs into its timeout.
    BlackHole,
}

/// How the loss is noticed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DetectionModel {
    /// What a look at the lost region runs into.
    pub symptom: Symptom,
    /// Who observes.
    #[schemars(length(min = 1, max = 1000))]
    pub observers: Vec<ObserverModel>,
    /// What each of them probes.
    #[schemars(length(min = 1, max = 1000))]
    pub probes: Vec<ProbeModel>,
    /// How many of them must agree.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [2]))]
    pub quorum: u32,
    /// How long they must keep agreeing.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub dwell: Duration,
    /// How often the decider looks at its clock.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub tick: Duration,
}

/// A place that observes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObserverModel {
    /// Its name.
    #[schemars(extend("examples" = ["observer-eu-central-1"]))]
    pub id: VantageId,
    /// Whether it sits outside every region that the failover moves between: one such must agree.
    pub outside: bool,
    /// Whether it still has a vote. An observer in the lost region has none.
    pub votes: bool,
}

/// What is probed, and when a run of failures counts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProbeModel {
    /// The probe's name.
    #[schemars(extend("examples" = ["storefront"]))]
    pub id: ProbeId,
    /// Between the starts of two looks.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub interval: Duration,
    /// How long a look may take.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// Failures in a row that count.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [3]))]
    pub trip: u32,
}

/// A step of the plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepModel {
    /// Its name.
    #[schemars(extend("examples" = ["promote-orders-db"]))]
    pub id: StepId,
    /// Where in the failover it belongs.
    pub phase: Phase,
    /// The steps it waits for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    /// How long an attempt takes.
    pub takes: Distribution,
    /// The chance that an attempt fails at its end, from 0 to 1.
    #[serde(default, skip_serializing_if = "is_zero")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub fails: f64,
    /// No attempt lasts longer.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub timeout: Duration,
    /// How many attempts are made before a person is asked.
    #[schemars(range(min = 1, max = 1000), extend("examples" = [3]))]
    pub attempts: u32,
    /// The pause after the first failure; each later one doubles.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub first_pause: Duration,
    /// No pause is longer.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub most_pause: Duration,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks with a reference")]
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

/// How clients learn of the new region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrafficModel {
    /// The steps after whose end the authority has been told.
    pub moved_by: Vec<StepId>,
    /// From then until the authority's answers have changed.
    pub publish: Distribution,
    /// How long resolvers keep an answer.
    #[serde(with = "text")]
    #[schemars(with = "DurationText")]
    pub ttl: Duration,
    /// Resolvers that keep it longer than they should.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Overstay")]
    pub overstay: Option<Overstay>,
}

/// Resolvers that keep an answer longer than its TTL.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Overstay {
    /// The share of clients behind one, from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub share: f64,
    /// How much longer.
    pub by: Distribution,
}

/// Who is served.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientModel {
    /// How many there are.
    #[schemars(range(min = 1, max = 100_000), extend("examples" = [100]))]
    pub count: u32,
    /// From a fresh answer to the first request that is served.
    pub reconnect: Distribution,
    /// The share of them that must be served for the platform to count as recovered, above 0 and up to 1.
    #[schemars(range(min = 0.0, max = 1.0), extend("examples" = [1.0]))]
    pub served: f64,
}

/// How far the standby is behind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplicationModel {
    /// The lag at the moment of the fault: what was acknowledged in it is lost.
    pub lag: Distribution,
    /// Where the number is from, for whoever reads the prediction.
    pub source: String,
}

impl Model {
    /// Reads a model, as YAML or JSON, from `text`, which came from `file`.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with the file, each with its place and what to write instead. What only makes no sense as a
    /// whole is said by [`check`](Self::check).
    pub fn read(file: &str, text: &str) -> Result<Self, SpecErrors> {
        read_as(file, text)
    }

    /// The model as text that [`read`](Self::read) reads: JSON, which is YAML too.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}
