use std::{collections::BTreeSet, time::Duration};

use crate::{
    journal::Signed,
    model::{RegionId, RunId},
    plan::Goal,
};

/// A run that has not ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenRun {
    /// The run.
    pub run: RunId,
    /// What it is for.
    pub goal: Goal,
    /// What it waits for, while it waits for somebody.
    pub waits: Option<String>,
}

/// The last run that started by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// The run.
    pub run: RunId,
    /// How long ago that was decided.
    pub ago: Duration,
}

/// The last run that moved the application, or tried to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// The run.
    pub run: RunId,
    /// How long ago it ended.
    pub ago: Duration,
    /// Who let failovers start by themselves again before the block period was over, when somebody did.
    pub acknowledged: Option<Signed>,
}

/// A decision to act of which no run came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailedStart {
    /// Why.
    pub why: String,
    /// How long ago.
    pub ago: Duration,
}

/// What somebody answered to the question that stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// Whether to act.
    pub yes: bool,
    /// Who said so.
    pub by: Signed,
    /// What was asked about. It answers no other question.
    pub goal: Goal,
}

/// A run that warms the standby and waits for the verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warmed {
    /// The run.
    pub run: RunId,
    /// How long ago it was decided.
    pub ago: Duration,
}

/// What has happened, as far as a decision is concerned. All of it is in the journal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// A run of the application that has not ended, other than one that warms the standby.
    pub open: Option<OpenRun>,
    /// The last run that started by itself.
    pub automatic: Option<Attempt>,
    /// The last run that moved the application, or tried to.
    pub moved: Option<Moved>,
    /// The regions that failovers left, and to which nobody has failed back.
    pub left: BTreeSet<RegionId>,
    /// The answer to the question that stands.
    pub answer: Option<Answered>,
    /// The last decision to act of which no run came.
    pub failed_start: Option<FailedStart>,
    /// Who keeps everything from starting, by the journal.
    pub stopped_by_journal: Option<Signed>,
    /// The standby is warm, or is being warmed.
    pub warm: Option<Warmed>,
    /// How often the standby was warmed in the last hour.
    pub warmed_lately: u32,
}
