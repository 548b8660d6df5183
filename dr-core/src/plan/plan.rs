use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Goal, Phase, PlanDigest};
use crate::{
    model::{ApplicationId, Objectives, RegionId, ResourceId, StepId},
    step::Reversibility,
};

/// How long a step is expected to take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    /// Half of the runs take no longer.
    pub p50: Duration,
    /// Nineteen of twenty runs take no longer.
    pub p95: Duration,
}

impl Estimate {
    /// An estimate in whole seconds.
    #[must_use]
    pub const fn secs(p50: u64, p95: u64) -> Self {
        Self { p50: Duration::from_secs(p50), p95: Duration::from_secs(p95) }
    }
}

/// How often, and how patiently, an attempt is repeated without asking anybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Attempts in all, at least 1.
    pub attempts: u32,
    /// The first pause; each later one doubles.
    pub first: Duration,
    /// No pause is longer.
    pub most: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 3, first: Duration::from_secs(1), most: Duration::from_secs(10) }
    }
}

/// A decision that somebody must take before a step begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What is asked, for a person.
    pub question: String,
}

/// A step as a plan stores it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanStep {
    /// Its name, unique in the plan.
    pub id: StepId,
    /// The verb: [`Step::KIND`](crate::step::Step::KIND).
    pub kind: String,
    /// [`Step::VERSION`](crate::step::Step::VERSION) when the plan was made.
    pub version: u32,
    /// One line for a person.
    pub title: String,
    /// Where in the failover it belongs.
    pub phase: Phase,
    /// The resource it acts on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The region it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// What it needs to know; may refer to outputs of earlier steps.
    pub params: Value,
    /// The steps that must have ended before, in order and without repetition.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<StepId>,
    /// Whether it can be taken back.
    pub reversibility: Reversibility,
    /// Each attempt ends by then.
    pub timeout: Duration,
    /// How long it is expected to take.
    pub estimate: Estimate,
    /// How often it is repeated without asking.
    pub retry: RetryPolicy,
    /// The decision that must be taken before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// Every remote call it may make.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub calls: Vec<Call>,
}

/// Everything that a run will do. Built by [`PlanBuilder`](super::PlanBuilder); immutable afterwards.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Draft", into = "Draft")]
pub struct Plan {
    pub(super) draft: Draft,
    pub(super) digest: PlanDigest,
}

/// A plan before it is checked: what is stored.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Draft {
    /// The version of this form.
    pub(super) format: u32,
    pub(super) application: ApplicationId,
    pub(super) goal: Goal,
    pub(super) objectives: Objectives,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) runner: Option<RegionId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) journal: Option<RegionId>,
    pub(super) deadline: Duration,
    pub(super) steps: Vec<PlanStep>,
}

impl Plan {
    /// The application that fails over as one.
    #[must_use]
    pub fn application(&self) -> &ApplicationId {
        &self.draft.application
    }

    /// What the plan is for.
    #[must_use]
    pub fn goal(&self) -> &Goal {
        &self.draft.goal
    }

    /// What the business asked for.
    #[must_use]
    pub fn objectives(&self) -> &Objectives {
        &self.draft.objectives
    }

    /// The region that runs the engine, when it is in one.
    #[must_use]
    pub fn runner(&self) -> Option<&RegionId> {
        self.draft.runner.as_ref()
    }

    /// The region that holds the journal, when it is in one.
    #[must_use]
    pub fn journal(&self) -> Option<&RegionId> {
        self.draft.journal.as_ref()
    }

    /// The run ends by then.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        self.draft.deadline
    }

    /// The steps: each comes after all those it depends on.
    #[must_use]
    pub fn steps(&self) -> &[PlanStep] {
        &self.draft.steps
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&PlanStep> {
        self.draft.steps.iter().find(|step| step.id == *id)
    }

    /// The digest of the plan's content: equal plans have equal digests, on every machine.
    #[must_use]
    pub fn digest(&self) -> &PlanDigest {
        &self.digest
    }

    /// The steps from which there is no way back, that have no such step before them: where the approval stands.
    #[must_use]
    pub fn point_of_no_return(&self) -> Vec<&PlanStep> {
        super::return_point::point_of_no_return(&self.draft.steps)
    }
}

impl From<Plan> for Draft {
    fn from(plan: Plan) -> Self {
        plan.draft
    }
}

impl TryFrom<Draft> for Plan {
    type Error = super::InvalidPlan;

    fn try_from(draft: Draft) -> Result<Self, Self::Error> {
        super::builder::check(draft)
    }
}

impl Plan {
    /// The same plan with its steps changed, checked and signed anew.
    pub(crate) fn edit_steps(&self, change: impl FnMut(&mut PlanStep)) -> Result<Self, super::InvalidPlan> {
        let mut draft = self.draft.clone();
        draft.steps.iter_mut().for_each(change);
        super::builder::check(draft)
    }
}
