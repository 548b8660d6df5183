use std::{marker::PhantomData, time::Duration};

use serde_json::Value;

use super::{
    Estimate, Gate, Goal, Group, GroupDraft, GroupKind, InvalidPlan, OutputOf, Phase, Plan, PlanProblem, PlanStep,
    RecoveryGoal, RetryPolicy, SafetyRule, Ungraceful,
    check::{self, FORMAT},
    child,
    plan::Draft,
    references,
};
use crate::{
    model::{ApplicationId, Objectives, RegionId, ResourceId, StepId},
    step::{DynStep, Step},
};

/// Collects steps and makes a checked [`Plan`] of them.
///
/// ```
/// # use std::time::Duration;
/// # use dr_core::{error::Result, model::{ApplicationId, Objectives, RegionId}, plan::*, step::*};
/// # #[derive(Debug)] struct Look;
/// # #[async_trait::async_trait]
/// # impl Step for Look {
/// #     const KIND: &'static str = "example.look"; type Params = String; type Output = u32;
/// #     fn reversibility(&self) -> Reversibility { Reversibility::ReadOnly }
/// #     fn calls(&self, _: &String) -> Vec<Call> { Vec::new() }
/// #     async fn observe(&self, _: &StepCx, _: &String) -> Result<Observed<u32>> { Ok(Observed::NotStarted) }
/// #     async fn execute(&self, _: &StepCx, _: &String) -> Result<u32> { Ok(1) }
/// #     async fn compensate(&self, _: &StepCx, _: &String, _: Option<&u32>) -> Result<()> { Ok(()) }
/// # }
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let goal = Goal {
///     kind: GoalKind::Failover,
///     from: RegionId::new("us-east-1")?,
///     to: RegionId::new("eu-west-1")?,
///     mode: Mode::Ungraceful,
/// };
/// let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
/// let mut builder = PlanBuilder::new(ApplicationId::new("shop")?, goal, objectives);
/// builder.step("look", &Look, &"there".to_owned()).phase(Phase::Ready);
/// builder.step("look-again", &Look, &"here".to_owned()).phase(Phase::Confirm).after("look");
/// let plan = builder.build()?;
/// assert_eq!(plan.steps().len(), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct PlanBuilder {
    pub(super) draft: Draft,
    pub(super) problems: Vec<PlanProblem>,
    /// Groups, each with what must have ended before it.
    pub(super) group_after: Vec<(StepId, StepId)>,
    gate_point_of_no_return: Option<Gate>,
}

impl PlanBuilder {
    /// An empty plan with a deadline of an hour.
    #[must_use]
    pub fn new(application: ApplicationId, goal: Goal, objectives: Objectives) -> Self {
        Self {
            draft: Draft {
                format: FORMAT,
                application,
                goal,
                objectives,
                runner: None,
                journal: None,
                deadline: Duration::from_secs(3600),
                standing: Vec::new(),
                steps: Vec::new(),
                groups: Vec::new(),
                recovery: None,
                safety: Vec::new(),
            },
            problems: Vec::new(),
            group_after: Vec::new(),
            gate_point_of_no_return: None,
        }
    }

    /// What the plan is for.
    #[must_use]
    pub fn goal(&self) -> &Goal {
        &self.draft.goal
    }

    /// The region that runs the engine.
    pub fn runner(&mut self, region: Option<RegionId>) -> &mut Self {
        self.draft.runner = region;
        self
    }

    /// The region that holds the journal.
    pub fn journal(&mut self, region: Option<RegionId>) -> &mut Self {
        self.draft.journal = region;
        self
    }

    /// The run ends by then.
    pub fn deadline(&mut self, deadline: Duration) -> &mut Self {
        self.draft.deadline = deadline;
        self
    }

    /// A region that the application keeps beside the two that the goal names.
    pub fn standing(&mut self, region: RegionId) -> &mut Self {
        self.draft.standing.push(region);
        self
    }

    /// When the application counts as recovered.
    pub fn recovery(&mut self, goal: RecoveryGoal) -> &mut Self {
        self.draft.recovery = Some(goal);
        self
    }

    /// Something that the run must not do, whatever the steps say.
    pub fn safety_rule(&mut self, rule: SafetyRule) -> &mut Self {
        self.draft.safety.push(rule);
        self
    }

    /// Puts this gate before each step of the [point of no return](Plan::point_of_no_return) that has none of its own.
    pub fn gate_point_of_no_return(&mut self, gate: Gate) -> &mut Self {
        self.gate_point_of_no_return = Some(gate);
        self
    }

    /// Adds a typed step. What is wrong with it is kept and told by [`build`](Self::build).
    pub fn step<S: Step>(&mut self, id: &str, step: &S, params: &S::Params) -> StepDraft<'_, S::Output> {
        let stored = serde_json::to_value(params).map_err(|e| e.to_string());
        let calls = step.calls(params);
        let undo = (step.reversibility(), step.keeps_before_image());
        self.push(id, S::KIND, S::VERSION, undo, stored, Ok(calls))
    }

    /// Adds a step that is known only by its object, with parameters as stored.
    pub fn dyn_step(&mut self, id: &str, step: &dyn DynStep, params: Value) -> StepDraft<'_, Value> {
        let calls = step.calls(&params).map_err(|e| e.to_string());
        let undo = (step.reversibility(), step.keeps_before_image());
        self.push(id, step.kind(), step.version(), undo, Ok(params), calls)
    }

    fn push<T>(
        &mut self,
        id: &str,
        kind: &str,
        version: u32,
        (reversibility, before_image): (crate::step::Reversibility, Option<bool>),
        params: Result<Value, String>,
        calls: Result<Vec<super::Call>, String>,
    ) -> StepDraft<'_, T> {
        let id = self.name(id);
        let mut bad = |message: String| self.problems.push(PlanProblem::BadParams { step: id.clone(), message });
        let params = params.unwrap_or_else(|message| {
            bad(message);
            Value::Null
        });
        let calls = calls.unwrap_or_else(|message| {
            bad(message);
            Vec::new()
        });
        self.draft.steps.push(PlanStep {
            after: references(&params),
            title: id.to_string(),
            id,
            kind: kind.to_owned(),
            version,
            phase: Phase::Confirm,
            resource: None,
            region: None,
            params,
            reversibility,
            before_image,
            timeout: Duration::from_secs(300),
            estimate: Estimate::default(),
            retry: RetryPolicy::default(),
            gate: None,
            ungraceful: None,
            prewarm: false,
            calls,
        });
        let index = self.draft.steps.len() - 1;
        StepDraft { builder: self, index, output: PhantomData }
    }

    /// Makes a group of steps and groups of which each begins when the one before it has ended.
    pub fn serial(&mut self, id: &str, members: &[&str]) -> GroupDraft<'_> {
        self.group(id, GroupKind::Serial, members)
    }

    /// Makes a group of steps and groups that wait for nothing but their own edges.
    pub fn parallel(&mut self, id: &str, members: &[&str]) -> GroupDraft<'_> {
        self.group(id, GroupKind::Parallel, members)
    }

    fn group(&mut self, id: &str, kind: GroupKind, members: &[&str]) -> GroupDraft<'_> {
        let id = self.name(id);
        let members = members.iter().map(|member| self.name(member)).collect();
        let title = id.to_string();
        let group = Group { id: id.clone(), title, kind, members, deadline: None, application: None, plan: None };
        self.draft.groups.push(group);
        GroupDraft::new(self, id)
    }

    /// Takes another plan in: its steps become steps `<id>/<step>` of this one, with their edges, their references to
    /// outputs and their gates; its groups nest; its deadline becomes the group's. One run, one journal, one lease.
    ///
    /// The child's goal has to be this plan's: the same regions, in the same mode.
    pub fn child(&mut self, id: &str, plan: &Plan) -> GroupDraft<'_> {
        let id = self.name(id);
        child::flatten(&mut self.draft, &mut self.problems, id.clone(), plan);
        GroupDraft::new(self, id)
    }

    /// A name, or a stand-in for one that breaks the rules, which is told by [`build`](Self::build).
    pub(super) fn name(&mut self, raw: &str) -> StepId {
        StepId::new(raw).unwrap_or_else(|e| {
            self.problems.push(PlanProblem::BadName(e.to_string()));
            // Only keeps the builder going so that every problem is told at once.
            placeholder(self.problems.len())
        })
    }

    /// Every step so far.
    #[must_use]
    pub fn steps(&self) -> &[PlanStep] {
        &self.draft.steps
    }

    /// Every step so far, to be completed by a planner.
    pub fn steps_mut(&mut self) -> &mut [PlanStep] {
        &mut self.draft.steps
    }

    /// The plan, checked.
    ///
    /// # Errors
    ///
    /// [`InvalidPlan`] with every problem there is.
    pub fn build(self) -> Result<Plan, InvalidPlan> {
        let Self { draft, mut problems, group_after, gate_point_of_no_return } = self;
        let checked = check::check_with(draft, &group_after).and_then(|plan| match gate_point_of_no_return {
            Some(gate) => plan.gated(&gate),
            None => Ok(plan),
        });
        match checked {
            Ok(plan) if problems.is_empty() => Ok(plan),
            Ok(_) => Err(InvalidPlan(problems)),
            Err(InvalidPlan(more)) => {
                problems.extend(more);
                Err(InvalidPlan(problems))
            }
        }
    }
}

#[expect(clippy::expect_used, reason = "a literal name that follows the rules of names")]
fn placeholder(n: usize) -> StepId {
    StepId::new(format!("unnamed-{n}")).expect("letters, a hyphen and digits")
}

/// The step just added, to be described further.
#[derive(Debug)]
pub struct StepDraft<'a, T> {
    builder: &'a mut PlanBuilder,
    index: usize,
    output: PhantomData<fn() -> T>,
}

impl<T> StepDraft<'_, T> {
    fn edit(self, change: impl FnOnce(&mut PlanStep)) -> Self {
        if let Some(step) = self.builder.draft.steps.get_mut(self.index) {
            change(step);
        }
        self
    }

    /// One line for a person.
    pub fn title(self, title: impl Into<String>) -> Self {
        self.edit(|step| step.title = title.into())
    }

    /// Where in the failover it belongs.
    pub fn phase(self, phase: Phase) -> Self {
        self.edit(|step| step.phase = phase)
    }

    /// The resource it acts on.
    pub fn resource(self, resource: &ResourceId) -> Self {
        self.edit(|step| step.resource = Some(resource.clone()))
    }

    /// The region it acts in.
    pub fn region(self, region: &RegionId) -> Self {
        self.edit(|step| step.region = Some(region.clone()))
    }

    /// A step, or all steps of a group, that must have ended before.
    pub fn after(self, id: &str) -> Self {
        match StepId::new(id) {
            Ok(id) => self.edit(|step| step.after.push(id)),
            Err(e) => {
                self.builder.problems.push(PlanProblem::BadName(e.to_string()));
                self
            }
        }
    }

    /// Each attempt ends by then.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.edit(|step| step.timeout = timeout)
    }

    /// How long it is expected to take.
    pub fn estimate(self, estimate: Estimate) -> Self {
        self.edit(|step| step.estimate = estimate)
    }

    /// How often it is repeated without asking.
    pub fn retry(self, retry: RetryPolicy) -> Self {
        self.edit(|step| step.retry = retry)
    }

    /// A decision that must be taken before it begins.
    pub fn gate(self, question: impl Into<String>) -> Self {
        self.edit(|step| step.gate.get_or_insert_with(|| Gate::new("")).question = question.into())
    }

    /// Who may take that decision; nobody named means anybody.
    pub fn approvers<I: IntoIterator<Item: Into<String>>>(self, names: I) -> Self {
        let names = names.into_iter().map(Into::into);
        self.edit(|step| step.gate.get_or_insert_with(|| Gate::new("go on?")).approvers.extend(names))
    }

    /// How long the question stands; unanswered by then, it is refused.
    pub fn gate_expires(self, after: Duration) -> Self {
        self.edit(|step| step.gate.get_or_insert_with(|| Gate::new("go on?")).expires = Some(after))
    }

    /// What it does differently once somebody has switched it to ungraceful.
    pub fn ungraceful(self, rule: Ungraceful) -> Self {
        self.edit(|step| step.ungraceful = Some(rule))
    }

    /// It is cheap, and may be made on suspicion alone, before a verdict. It has to be reversible for that.
    pub fn prewarm(self) -> Self {
        self.edit(|step| step.prewarm = true)
    }

    /// A handle on its output, for the parameters of a later step.
    #[must_use]
    pub fn output(self) -> OutputOf<T> {
        OutputOf::new(self.id())
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> StepId {
        self.builder.draft.steps.get(self.index).map_or_else(|| placeholder(self.index), |step| step.id.clone())
    }
}
