//! How a run is carried out: who runs it, where it is written down, who approves, and how long things may take.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration::{self, DurationText};
use crate::model::RegionId;

/// Who runs the plan.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Runner")]
pub struct RunnerSpec {
    /// The region the runner is in. Never the active one: it would be lost together with what it should save.
    #[schemars(extend("examples" = ["eu-central-1"]))]
    pub region: RegionId,
}

/// Which store holds the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JournalStore {
    /// A SQLite file.
    Sqlite,
}

/// Where runs are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Journal")]
pub struct JournalSpec {
    /// The kind of store.
    pub store: JournalStore,
    /// The file of the SQLite store.
    #[schemars(length(min = 1), extend("examples" = ["journal.sqlite"]))]
    pub path: String,
    /// The region the store is in. Never the active one.
    #[schemars(extend("examples" = ["eu-central-1"]))]
    pub region: RegionId,
}

/// Whether a person must say yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Approval {
    /// A person approves, or the run waits.
    Required,
    /// The run goes on by itself.
    Automatic,
}

/// Where a run asks a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Approvals")]
pub struct ApprovalsSpec {
    /// Before the first step that cannot be undone.
    pub point_of_no_return: Approval,
    /// The same in a drill.
    pub drills: Approval,
    /// Before traffic goes back to the region that failed.
    pub failback: Approval,
    /// Who may approve. Default: anybody who can reach the journal.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("examples" = [["dana@example.com"]]))]
    pub approvers: Vec<String>,
    /// How long a question stands; one that nobody has answered by then ends the run. Default: as long as the run.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "duration::optional")]
    #[schemars(with = "DurationText")]
    pub expires: Option<Duration>,
}

impl Default for ApprovalsSpec {
    fn default() -> Self {
        Self {
            point_of_no_return: Approval::Required,
            drills: Approval::Automatic,
            failback: Approval::Required,
            approvers: Vec::new(),
            expires: None,
        }
    }
}

/// How long things may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(rename = "Timeouts")]
pub struct TimeoutsSpec {
    /// One remote call. At most 10 s, because a lost region answers nothing.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub call: Duration,
    /// One step with all its attempts, unless its driver knows better.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub step: Duration,
    /// A whole run, waits for approval not counted.
    #[serde(with = "duration")]
    #[schemars(with = "DurationText")]
    pub run: Duration,
}

impl Default for TimeoutsSpec {
    fn default() -> Self {
        Self { call: Duration::from_secs(8), step: Duration::from_secs(15 * 60), run: Duration::from_secs(60 * 60) }
    }
}
