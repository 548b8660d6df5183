//! How a run is carried out: who runs it, where it is written down, who approves, and how long things may take.

use std::{path::Path, time::Duration};

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
    /// A bucket of S3, on conditional writes: a run that was begun on one machine can be taken up on another.
    S3,
}

/// Where runs are written down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Journal")]
pub struct JournalSpec {
    /// The kind of store.
    pub store: JournalStore,
    /// The file of a SQLite store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["journal.sqlite"]))]
    pub path: Option<String>,
    /// The bucket of a store in S3
    /// (<https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(regex(pattern = "^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$"), extend("examples" = ["shop-journal"]))]
    pub bucket: Option<String>,
    /// What the keys of a store in S3 begin with: `dr` unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1), extend("examples" = ["dr"]))]
    pub prefix: Option<String>,
    /// The region the store is in. Never the active one.
    #[schemars(extend("examples" = ["eu-central-1"]))]
    pub region: RegionId,
}

/// The place of a journal, as [`JournalSpec::place`] tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JournalPlace<'a> {
    /// A SQLite file.
    File(&'a Path),
    /// Keys of a bucket in the journal's region.
    Bucket {
        /// The bucket.
        bucket: &'a str,
        /// What its keys begin with.
        prefix: &'a str,
    },
}

impl JournalSpec {
    /// Where the runs are written down. None when the part that the store needs is missing, which no file that was
    /// loaded lacks.
    #[must_use]
    pub fn place(&self) -> Option<JournalPlace<'_>> {
        Some(match self.store {
            JournalStore::Sqlite => JournalPlace::File(Path::new(self.path.as_deref()?)),
            JournalStore::S3 => {
                JournalPlace::Bucket { bucket: self.bucket.as_deref()?, prefix: self.prefix.as_deref().unwrap_or("dr") }
            }
        })
    }
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
