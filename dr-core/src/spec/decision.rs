//! When to fail over, and when not to.

use std::time::Duration;

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText, optional};
use crate::{
    decision::{Gray, Mode, Weekday},
    model::ResourceId,
};

/// What a condition asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ConditionKind {
    /// The region that takes the writes is unhealthy.
    RegionLost,
    /// The region to go to is healthy.
    StandbyHealthy,
    /// Replication of `resource` is known, by a fresh sample, to be behind by no more than `at_most`.
    ReplicationLag,
    /// Something else says so: a boolean that the embedding program feeds, such as Route 53's or CloudWatch's opinion.
    Signal,
}

/// One thing that must hold before anything starts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Condition")]
pub struct ConditionSpec {
    /// What it is called in answers.
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9_./:-]{0,127}$"), extend("examples" = ["lost-for-a-while"]))]
    pub id: String,
    /// What it asks for.
    pub kind: ConditionKind,
    /// For how long on end. Default: at once.
    #[serde(default, rename = "for", with = "duration", skip_serializing_if = "Duration::is_zero")]
    #[schemars(with = "DurationText")]
    pub lasting: Duration,
    /// Region lost: in which way. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Gray")]
    pub gray: Option<Gray>,
    /// Replication lag: of which resource.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "ResourceId", extend("examples" = ["orders-db"]))]
    pub resource: Option<ResourceId>,
    /// Replication lag: the most. Default: `objectives.rpo`.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub at_most: Option<Duration>,
    /// Replication lag, signal: the oldest that the last word may be. Default: 2 min.
    #[serde(default, with = "optional", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "DurationText")]
    pub fresh: Option<Duration>,
    /// Signal: its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["route53"]))]
    pub signal: Option<String>,
}

/// A time in which nothing starts by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "MaintenanceWindow")]
pub struct WindowSpec {
    /// The day on which it opens, every week.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Weekday")]
    pub weekly: Option<Weekday>,
    /// The day on which it opens, once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$"), extend("examples" = ["2026-12-24"]))]
    pub on: Option<Date>,
    /// When it opens, by the clock on the wall.
    #[schemars(regex(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$"), extend("examples" = ["02:00"]))]
    pub at: String,
    /// How long it stays open.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub lasts: Duration,
    /// How far that clock is ahead of UTC; it does not change in summer. Default: +00:00.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", regex(pattern = "^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"), extend("examples" = ["+01:00"]))]
    pub utc_offset: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["database patches"]))]
    pub why: Option<String>,
}

/// What may be done on suspicion alone, before a verdict: steps that are reversible and make room in the standby.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Prewarm")]
pub struct PrewarmSpec {
    /// How often within an hour. Default: 3.
    #[serde(default = "per_hour")]
    #[schemars(range(min = 1, max = 60), extend("examples" = [3]))]
    pub per_hour: u32,
    /// How long the standby stays warm while no verdict falls. Default: 15 min.
    #[serde(default = "keep", with = "duration")]
    #[schemars(with = "DurationText")]
    pub keep: Duration,
}

fn per_hour() -> u32 {
    3
}

fn keep() -> Duration {
    Duration::from_secs(15 * 60)
}

/// When to fail over. Whatever is written here, nothing starts toward a region that is not known to be well, on a verdict that
/// too few observers hold at that moment, while the kill switch is on or another run is open; and nothing fails back by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Decision")]
pub struct DecisionSpec {
    /// Who starts a failover: somebody by hand (manual), the decider once somebody has said yes (ask), or the decider.
    pub mode: Mode,
    /// What must hold, all of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10))]
    pub conditions: Vec<ConditionSpec>,
    /// The least time between two runs that start by themselves. No acknowledgement shortens it. Default: 10 min.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub spacing: Duration,
    /// When nothing starts by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub windows: Vec<WindowSpec>,
    /// A file on the decider's machine whose existence keeps anything from starting.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", extend("examples" = ["/etc/dr/stop"]))]
    pub kill_switch: Option<String>,
    /// What may be done on suspicion. Default: nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "PrewarmSpec")]
    pub prewarm: Option<PrewarmSpec>,
}

impl Default for DecisionSpec {
    fn default() -> Self {
        Self {
            mode: Mode::Manual,
            conditions: Vec::new(),
            spacing: Duration::from_secs(10 * 60),
            windows: Vec::new(),
            kill_switch: None,
            prewarm: None,
        }
    }
}
