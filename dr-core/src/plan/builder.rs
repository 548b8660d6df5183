use std::{
    collections::{BTreeMap, BTreeSet},
    marker::PhantomData,
    time::Duration,
};

use serde_json::Value;

use super::{
    Estimate, Gate, Goal, InvalidPlan, OutputOf, Phase, Plan, PlanDigest, PlanProblem, PlanStep, RetryPolicy,
    plan::Draft, references,
};
use crate::{
    model::{ApplicationId, Objectives, RegionId, ResourceId, StepId},
    step::{DynStep, Step},
};

/// The version of the stored form.
const FORMAT: u32 = 1;

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
    draft: Draft,
    problems: Vec<PlanProblem>,
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
                steps: Vec::new(),
            },
            problems: Vec::new(),
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

    /// Adds a typed step. What is wrong with it is kept and told by [`build`](Self::build).
    pub fn step<S: Step>(&mut self, id: &str, step: &S, params: &S::Params) -> StepDraft<'_, S::Output> {
        let stored = serde_json::to_value(params).map_err(|e| e.to_string());
        let calls = step.calls(params);
        self.push(id, S::KIND, S::VERSION, step.reversibility(), stored, Ok(calls))
    }

    /// Adds a step that is known only by its object, with parameters as stored.
    pub fn dyn_step(&mut self, id: &str, step: &dyn DynStep, params: Value) -> StepDraft<'_, Value> {
        let calls = step.calls(&params).map_err(|e| e.to_string());
        self.push(id, step.kind(), step.version(), step.reversibility(), Ok(params), calls)
    }

    fn push<T>(
        &mut self,
        id: &str,
        kind: &str,
        version: u32,
        reversibility: crate::step::Reversibility,
        params: Result<Value, String>,
        calls: Result<Vec<super::Call>, String>,
    ) -> StepDraft<'_, T> {
        let id = StepId::new(id).unwrap_or_else(|e| {
            self.problems.push(PlanProblem::BadName(e.to_string()));
            // Reported above; the stand-in only keeps the builder going so that every problem is told at once.
            placeholder(self.draft.steps.len())
        });
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
            timeout: Duration::from_secs(300),
            estimate: Estimate::default(),
            retry: RetryPolicy::default(),
            gate: None,
            calls,
        });
        let index = self.draft.steps.len() - 1;
        StepDraft { builder: self, index, output: PhantomData }
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
        let Self { draft, mut problems } = self;
        match check(draft) {
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

    /// A step that must have ended before.
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
        self.edit(|step| step.gate = Some(Gate { question: question.into() }))
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

/// Checks a draft, puts its steps in topological order (stable: as given where the edges leave a choice) and signs it.
pub(super) fn check(mut draft: Draft) -> Result<Plan, InvalidPlan> {
    let mut problems = Vec::new();
    if draft.format != FORMAT {
        return Err(InvalidPlan(vec![PlanProblem::Format(draft.format)]));
    }
    if draft.goal.from == draft.goal.to {
        problems.push(PlanProblem::SameRegion(draft.goal.from.to_string()));
    }
    if draft.steps.is_empty() {
        problems.push(PlanProblem::Empty);
    }
    for step in &mut draft.steps {
        step.after.extend(references(&step.params));
        step.after.sort();
        step.after.dedup();
    }
    let mut index = BTreeMap::new();
    for (at, step) in draft.steps.iter().enumerate() {
        if index.insert(step.id.clone(), at).is_some() {
            problems.push(PlanProblem::DuplicateStep(step.id.clone()));
        }
        if step.timeout.is_zero() {
            problems.push(PlanProblem::NoTimeout(step.id.clone()));
        }
        if step.retry.attempts == 0 {
            problems.push(PlanProblem::NoAttempt(step.id.clone()));
        }
    }
    for step in &draft.steps {
        for before in step.after.iter().filter(|before| !index.contains_key(*before)) {
            problems.push(PlanProblem::MissingStep { step: step.id.clone(), missing: before.clone() });
        }
    }
    let order = topological(&draft.steps, &index).unwrap_or_else(|cycle| {
        problems.push(PlanProblem::Cycle(cycle));
        Vec::new()
    });
    if !problems.is_empty() {
        return Err(InvalidPlan(problems));
    }
    let mut slots: Vec<Option<PlanStep>> = draft.steps.into_iter().map(Some).collect();
    draft.steps = order.into_iter().filter_map(|at| slots.get_mut(at).and_then(Option::take)).collect();
    let stored = serde_json::to_value(&draft).map_err(|e| InvalidPlan(vec![PlanProblem::BadName(e.to_string())]))?;
    let digest = PlanDigest::of(&stored);
    Ok(Plan { draft, digest })
}

/// Positions in an order in which each step follows what it waits for, or one cycle.
fn topological(steps: &[PlanStep], index: &BTreeMap<StepId, usize>) -> Result<Vec<usize>, Vec<StepId>> {
    let mut waits: Vec<usize> = Vec::with_capacity(steps.len());
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (at, step) in steps.iter().enumerate() {
        let before: Vec<usize> = step.after.iter().filter_map(|id| index.get(id).copied()).collect();
        waits.push(before.len());
        for b in before {
            if let Some(list) = followers.get_mut(b) {
                list.push(at);
            }
        }
    }
    let mut ready: BTreeSet<usize> = waits.iter().enumerate().filter(|(_, n)| **n == 0).map(|(at, _)| at).collect();
    let mut order = Vec::with_capacity(steps.len());
    while let Some(at) = ready.pop_first() {
        order.push(at);
        for follower in followers.get(at).into_iter().flatten() {
            if let Some(n) = waits.get_mut(*follower) {
                *n -= 1;
                if *n == 0 {
                    ready.insert(*follower);
                }
            }
        }
    }
    if order.len() == steps.len() { Ok(order) } else { Err(find_cycle(steps, index, &order)) }
}

/// One cycle among the steps that could not be ordered, for the message.
fn find_cycle(steps: &[PlanStep], index: &BTreeMap<StepId, usize>, ordered: &[usize]) -> Vec<StepId> {
    let ordered: BTreeSet<usize> = ordered.iter().copied().collect();
    let Some(mut at) = (0..steps.len()).find(|at| !ordered.contains(at)) else { return Vec::new() };
    let mut path: Vec<usize> = Vec::new();
    // Every unordered step waits for another unordered one, so that walking back must come round.
    while !path.contains(&at) {
        path.push(at);
        let back = steps
            .get(at)
            .and_then(|step| step.after.iter().filter_map(|id| index.get(id)).find(|b| !ordered.contains(b)));
        match back {
            Some(b) => at = *b,
            None => break,
        }
    }
    let start = path.iter().position(|p| *p == at).unwrap_or(0);
    let mut round: Vec<usize> = path.iter().skip(start).rev().copied().collect();
    // Told from the step that was written first, so that equal plans give equal messages.
    let first = round.iter().enumerate().min_by_key(|(_, at)| **at).map_or(0, |(place, _)| place);
    round.rotate_left(first);
    let mut cycle: Vec<StepId> = round.iter().filter_map(|p| steps.get(*p)).map(|step| step.id.clone()).collect();
    if let Some(first) = cycle.first().cloned() {
        cycle.push(first);
    }
    cycle
}
