use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Moment, Offset, Span, critical_path};
use crate::{
    engine::{RecoveryTime, Rpo},
    journal::{RunEnd, StandingEffect},
    model::{RegionId, RunId, StepId},
    plan::{Goal, Phase, PlanDigest},
    spec::Waiver,
    step::Reversibility,
    validation::Finding,
};

/// What one run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    /// The run.
    pub run: RunId,
    /// What it was for.
    pub goal: Goal,
    /// The plan that it ran.
    pub plan: PlanDigest,
    /// When it was created.
    pub started: Offset,
    /// When it ended, or was last heard of.
    pub ended: Offset,
    /// How it ended; absent when it did not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<RunEnd>,
    /// How many engines took it up: above 1 when it survived its process.
    pub engines: u32,
    /// The steps, in the plan's order.
    pub steps: Vec<StepReport>,
    /// What lint said of the plan.
    pub findings: Vec<Finding>,
    /// The objections that somebody overruled.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waivers: Vec<Waiver>,
    /// What people were asked and decided, and where the run waited.
    pub moments: Vec<Moment>,
    /// How long it took to have the application back, its health included; absent when nobody watched, or it never was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryTime>,
    /// What the promotions lost, as far as their evidence goes; absent for a plan that promotes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo: Option<Rpo>,
    /// What stands although the run was to leave the world as it was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub effects_left: Vec<StandingEffect>,
}

/// What one step of a run did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    /// The step.
    pub id: StepId,
    /// One line for a person.
    pub title: String,
    /// Where in the failover it belongs.
    pub phase: Phase,
    /// The region it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
    /// The steps that had to end before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    /// When its first attempt began; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub started: Option<Offset>,
    /// When its last attempt ended; absent when none did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Offset>,
    /// How it came out.
    pub outcome: StepOutcome,
    /// How many attempts there were.
    pub attempts: u32,
    /// Why it failed or was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How a step came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StepOutcome {
    /// It never began.
    Pending,
    /// It began, and nothing says that it ended.
    Running,
    /// Its effect is there.
    Done,
    /// Its effect was there before it acted.
    Already,
    /// Its last attempt failed.
    Failed,
    /// Somebody decided to go on without it.
    Skipped,
    /// Its effect was taken back.
    Compensated,
}

impl StepOutcome {
    /// The outcome as a word for people.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "not begun",
            Self::Running => "unfinished",
            Self::Done => "done",
            Self::Already => "already done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Compensated => "taken back",
        }
    }
}

impl RunReport {
    /// The steps that the run's length was made of, first to last.
    #[must_use]
    pub fn critical_path(&self) -> Vec<&StepId> {
        let spans: Vec<Span<'_>> = self
            .steps
            .iter()
            .filter_map(|step| {
                Some(Span { id: &step.id, started: step.started?, ended: step.ended?, after: &step.after })
            })
            .collect();
        critical_path(&spans)
    }

    /// The same steps, to ask whether one is among them.
    pub(super) fn critical(&self) -> BTreeSet<&StepId> {
        self.critical_path().into_iter().collect()
    }

    /// The steps in the order in which they began; those that did not stand last.
    pub(super) fn steps_as_begun(&self) -> Vec<&StepReport> {
        let mut steps: Vec<&StepReport> = self.steps.iter().collect();
        let begun = |step: &StepReport| step.started.map_or(f64::INFINITY, Offset::secs);
        steps.sort_by(|a, b| begun(a).total_cmp(&begun(b)));
        steps
    }

    /// Seconds from the run's start to its end.
    #[must_use]
    pub fn length_s(&self) -> f64 {
        self.ended.since(self.started)
    }
}

impl StepReport {
    /// Seconds from the first attempt's start to the last one's end; none when it did not begin or end.
    #[must_use]
    pub fn length_s(&self) -> Option<f64> {
        Some(self.ended?.since(self.started?))
    }
}
