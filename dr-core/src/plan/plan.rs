use std::{collections::BTreeSet, time::Duration};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Call, Gate, Goal, Group, Phase, PlanDigest, RecoveryGoal, SafetyRule, Ungraceful, membership::Membership};
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
    /// Whether what stood before is kept, to be put back; absent when the step's author does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before_image: Option<bool>,
    /// Each attempt ends by then.
    pub timeout: Duration,
    /// How long it is expected to take.
    pub estimate: Estimate,
    /// How often it is repeated without asking.
    pub retry: RetryPolicy,
    /// The decision that must be taken before it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gate: Option<Gate>,
    /// What it does differently once somebody has switched it to ungraceful.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ungraceful: Option<Ungraceful>,
    /// Whether it is cheap enough to be made on suspicion alone, should it be reversible. Steps that make room are, unsaid.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prewarm: bool,
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
    /// Positions of the steps, by name.
    pub(super) by_name: Vec<usize>,
    pub(super) membership: Membership,
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
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) standing: Vec<RegionId>,
    pub(super) steps: Vec<PlanStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<Group>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) recovery: Option<RecoveryGoal>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) safety: Vec<SafetyRule>,
}

impl Plan {
    /// The application that fails over as one.
    #[must_use]
    pub fn application(&self) -> &ApplicationId {
        &self.draft.application
    }

    /// The applications that fail over with this plan: its own, and those of the child plans in it.
    #[must_use]
    pub fn applications(&self) -> BTreeSet<&ApplicationId> {
        self.draft.groups.iter().filter_map(|group| group.application.as_ref()).chain([self.application()]).collect()
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
        self.draft.steps.get(self.position(id)?)
    }

    /// The place of the step of this name in [`steps`](Self::steps).
    #[must_use]
    pub fn position(&self, id: &str) -> Option<usize> {
        let name = |at: &usize| self.draft.steps.get(*at).map_or("", |step| step.id.as_str());
        let found = self.by_name.binary_search_by(|at| name(at).cmp(id)).ok()?;
        self.by_name.get(found).copied()
    }

    /// The groups, as given.
    #[must_use]
    pub fn groups(&self) -> &[Group] {
        &self.draft.groups
    }

    /// The group of this name.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<&Group> {
        self.draft.groups.iter().find(|group| group.id == *id)
    }

    /// The group that a step or group is a member of.
    #[must_use]
    pub fn group_of(&self, member: &str) -> Option<&Group> {
        self.draft.groups.get(self.membership.group_of(member)?)
    }

    /// The groups around a step or group, the innermost first.
    pub fn groups_around<'a>(&'a self, member: &str) -> impl Iterator<Item = &'a Group> {
        std::iter::successors(self.group_of(member), |group| self.group_of(group.id.as_str()))
    }

    /// The steps of a group and of the groups in it, in the plan's order; none when there is no such group.
    #[must_use]
    pub fn steps_in(&self, group: &str) -> Vec<&PlanStep> {
        self.membership.steps_in(group).iter().filter_map(|at| self.draft.steps.get(*at)).collect()
    }

    /// The places of the steps in a group and in the groups in it.
    pub(crate) fn places_in(&self, group: &str) -> &[usize] {
        self.membership.steps_in(group)
    }

    /// The places, in [`groups`](Self::groups), of the groups around a step or group.
    pub(crate) fn group_places_around(&self, member: &str) -> impl Iterator<Item = usize> {
        std::iter::successors(self.membership.group_of(member), |at| {
            self.membership.group_of(self.draft.groups.get(*at)?.id.as_str())
        })
    }

    /// The places of the steps that a step, a group or (without a name) the whole plan stands for.
    pub(crate) fn places_of(&self, part: Option<&str>) -> Vec<usize> {
        match part {
            None => (0..self.draft.steps.len()).collect(),
            Some(id) => match self.position(id) {
                Some(at) => vec![at],
                None => self.places_in(id).to_vec(),
            },
        }
    }

    /// The regions that the application keeps beside the two that the goal names.
    #[must_use]
    pub fn standing(&self) -> &[RegionId] {
        &self.draft.standing
    }

    /// Every region that the plan names: the goal's, the standing ones, the runner's and the journal's, those that steps
    /// act in or call.
    #[must_use]
    pub fn regions(&self) -> BTreeSet<&RegionId> {
        let draft = &self.draft;
        let steps = draft
            .steps
            .iter()
            .flat_map(|step| step.region.iter().chain(step.calls.iter().flat_map(|call| &call.endpoints)));
        [&draft.goal.from, &draft.goal.to]
            .into_iter()
            .chain(&draft.standing)
            .chain(&draft.runner)
            .chain(&draft.journal)
            .chain(steps)
            .collect()
    }

    /// When the application counts as recovered; without it, when the last step is done.
    #[must_use]
    pub fn recovery(&self) -> Option<&RecoveryGoal> {
        self.draft.recovery.as_ref()
    }

    /// What the run must not do, whatever the steps say.
    #[must_use]
    pub fn safety_rules(&self) -> &[SafetyRule] {
        &self.draft.safety
    }

    /// The same plan, whose run watches the application's health after its last step; signed anew.
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`](super::InvalidPlan), as for any plan.
    pub fn with_recovery(&self, goal: RecoveryGoal) -> Result<Self, super::InvalidPlan> {
        let mut draft = self.draft.clone();
        draft.recovery = Some(goal);
        super::check::check(draft)
    }

    /// The same plan with one more safety rule; signed anew.
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`](super::InvalidPlan) when the rule cannot work in this plan.
    pub fn with_safety_rule(&self, rule: SafetyRule) -> Result<Self, super::InvalidPlan> {
        let mut draft = self.draft.clone();
        draft.safety.push(rule);
        super::check::check(draft)
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
        super::check::check(draft)
    }
}

impl Plan {
    /// The same plan with its steps changed, checked and signed anew.
    pub(crate) fn edit_steps(self, change: impl FnMut(&mut PlanStep)) -> Result<Self, super::InvalidPlan> {
        let mut draft = self.draft;
        draft.steps.iter_mut().for_each(change);
        super::check::check(draft)
    }
}
