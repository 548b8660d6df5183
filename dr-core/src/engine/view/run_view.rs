use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::TryStreamExt as _;

use super::{Approval, Cancel, Note, Refusal, Switch};
use crate::{
    engine::{
        Monitoring, RecoveryTime, StepView,
        frontier::{Frontier, Places},
        group_view::{GroupClock, GroupView},
    },
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Journal, Link, RequestId, RunEnd, Seq, Signed, StandingEffect, damaged},
    model::{Epoch, OwnerId, RunId, SafetyRuleId, StepId},
    plan::{Group, Inventory, Mode, Plan, PlanStep},
    planner::{BeforeImage, BeforeImages},
    time::Timestamp,
    validation::{Finding, FindingsDigest},
};

/// What the records of a run say, folded: a pure function of the journal, the same on every machine that reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    pub(super) run: RunId,
    pub(super) plan: Arc<Plan>,
    pub(super) inventory: Inventory,
    pub(super) findings: Vec<Finding>,
    pub(super) created: Timestamp,
    pub(super) last: Timestamp,
    pub(super) seq: Seq,
    pub(super) taken_up: u32,
    pub(super) owner: Option<(OwnerId, Epoch)>,
    /// In the plan's order.
    pub(super) steps: Vec<StepView>,
    pub(super) frontier: Frontier,
    pub(super) asked: BTreeSet<StepId>,
    /// When the questions that expire do so, from the run's creation.
    pub(super) due: BTreeMap<StepId, Duration>,
    pub(super) approvals: Vec<Approval>,
    pub(super) switches: Vec<Switch>,
    /// In the order of the plan's groups.
    pub(super) groups: Vec<GroupClock>,
    pub(super) refused: BTreeMap<StepId, Refusal>,
    pub(super) overridden: BTreeMap<SafetyRuleId, Signed>,
    pub(super) monitoring: Option<Monitoring>,
    pub(super) effects_left: Vec<StandingEffect>,
    pub(super) paused: Option<Signed>,
    pub(super) failure_told: bool,
    pub(super) cancel: Option<Cancel>,
    pub(super) ended: Option<(RunEnd, String)>,
    pub(super) held: Option<String>,
    pub(super) notes: Vec<Note>,
    pub(super) answered: RequestId,
}

impl RunView {
    /// The view after the first record.
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the record does not create a run.
    pub fn new(run: RunId, seq: Seq, at: Timestamp, first: &Entry) -> Result<Self> {
        Self::begin(run, seq, at, first.clone())
    }

    fn begin(run: RunId, seq: Seq, at: Timestamp, first: Entry) -> Result<Self> {
        let Entry::RunCreated { plan, inventory, findings, .. } = first else {
            return Err(Error::new(ErrorKind::Invalid, format!("the journal of run {run} does not begin with it"))
                .with_effect(Effect::NotApplied));
        };
        let steps = vec![StepView::default(); plan.steps().len()];
        let frontier = Frontier::of(Arc::new(Places::of(plan.steps())), plan.steps(), &steps);
        let groups =
            plan.groups().iter().map(|group| GroupClock::of(plan.places_in(group.id.as_str()).len())).collect();
        Ok(Self {
            groups,
            steps,
            frontier,
            run,
            plan: Arc::from(plan),
            inventory: *inventory,
            findings,
            created: at,
            last: at,
            seq,
            taken_up: 0,
            owner: None,
            asked: BTreeSet::new(),
            due: BTreeMap::new(),
            approvals: Vec::new(),
            switches: Vec::new(),
            refused: BTreeMap::new(),
            overridden: BTreeMap::new(),
            monitoring: None,
            effects_left: Vec::new(),
            paused: None,
            failure_told: false,
            cancel: None,
            ended: None,
            held: None,
            notes: Vec::new(),
            answered: RequestId(0),
        })
    }

    /// Reads a run's records, checks that they are what was written, and folds them.
    ///
    /// # Errors
    ///
    /// [`NotFound`](ErrorKind::NotFound) when the journal has no such run; [`Corrupt`](ErrorKind::Corrupt) naming the first
    /// record that is not what was written; what reading the journal fails with.
    pub async fn load(journal: &dyn Journal, run: &RunId) -> Result<Self> {
        let mut records = journal.read(run, Seq(0));
        let first = records.try_next().await?.ok_or_else(|| {
            Error::new(ErrorKind::NotFound, format!("the journal has no run {run}")).with_effect(Effect::NotApplied)
        })?;
        let mut chain = Link::default();
        chain.follow(&first).map_err(|broken| damaged(run, broken))?;
        let mut view = Self::begin(run.clone(), first.seq, first.at, first.entry)?;
        while let Some(record) = records.try_next().await? {
            chain.follow(&record).map_err(|broken| damaged(run, broken))?;
            view.fold(record);
        }
        Ok(view)
    }

    /// The run.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// Everything it does.
    #[must_use]
    pub fn plan(&self) -> &Arc<Plan> {
        &self.plan
    }

    /// The world as it was surveyed for the plan.
    #[must_use]
    pub fn inventory(&self) -> &Inventory {
        &self.inventory
    }

    /// What lint said of the plan.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// When it was created, on the wall.
    #[must_use]
    pub fn created(&self) -> Timestamp {
        self.created
    }

    /// When its last record was written, on the wall.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.last
    }

    /// The place of its last record.
    #[must_use]
    pub fn seq(&self) -> Seq {
        self.seq
    }

    /// How often an engine took it up.
    #[must_use]
    pub fn taken_up(&self) -> u32 {
        self.taken_up
    }

    /// The engine that took it up last, and its fencing token.
    #[must_use]
    pub fn owner(&self) -> Option<&(OwnerId, Epoch)> {
        self.owner.as_ref()
    }

    /// The step of this name.
    #[must_use]
    pub fn step(&self, id: &str) -> Option<&StepView> {
        self.find(id).map(|(_, view)| view)
    }

    /// The step of this name, as the plan has it and as it is now. The cost does not grow with the plan.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<(&PlanStep, &StepView)> {
        self.at(self.frontier.find(id)?)
    }

    /// The group of this name, as its members' states make it.
    #[must_use]
    pub fn group(&self, id: &str) -> Option<GroupView> {
        let mut groups = self.plan.groups().iter().zip(&self.groups);
        groups.find(|(group, _)| group.id == *id).map(|(group, clock)| GroupView::of(self, group, clock))
    }

    /// The groups with what their clocks say.
    pub(in crate::engine) fn group_clocks(&self) -> impl Iterator<Item = (&Group, &GroupClock)> {
        self.plan.groups().iter().zip(&self.groups)
    }

    /// The groups whose deadline has passed before their members had ended, and that nobody has decided on since.
    pub fn late_groups(&self) -> impl Iterator<Item = &Group> {
        self.group_clocks().filter(|(_, clock)| clock.late && clock.open > 0).map(|(group, _)| group)
    }

    /// The steps in a group and in the groups in it.
    pub(in crate::engine) fn members(&self, group: &str) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.plan.places_in(group).iter().filter_map(|at| self.at(*at))
    }

    /// Whether a step is in ungraceful mode: its plan has a rule for it, and the plan's goal or somebody asked for it.
    #[must_use]
    pub fn ungraceful(&self, step: &str) -> bool {
        self.find(step).is_some_and(|(planned, view)| {
            planned.ungraceful.is_some() && (view.ungraceful || self.plan.goal().mode == Mode::Ungraceful)
        })
    }

    pub(super) fn at(&self, at: usize) -> Option<(&PlanStep, &StepView)> {
        Some((self.plan.steps().get(at)?, self.steps.get(at)?))
    }

    /// The steps that could begin as far as their own state and their dependencies go, in the plan's order.
    pub(in crate::engine) fn ready(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.frontier.ready().filter_map(|at| self.at(at))
    }

    /// The step of this name, if it is one of them.
    pub(in crate::engine) fn find_ready(&self, id: &str) -> Option<(&PlanStep, &StepView)> {
        self.frontier.find(id).filter(|at| self.frontier.is_ready(*at)).and_then(|at| self.at(at))
    }

    /// The steps that changed the world, or may have, last of the plan first.
    pub(in crate::engine) fn standing_last_first(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.frontier.standing_last_first().filter_map(|at| self.at(at))
    }

    /// Whether an attempt is being made.
    pub(in crate::engine) fn under_way(&self) -> bool {
        self.frontier.running().next().is_some()
    }

    /// Whether every step is done or skipped.
    pub(in crate::engine) fn all_settled(&self) -> bool {
        self.frontier.all_settled()
    }

    /// The steps, each after all those it depends on.
    pub fn steps(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.plan.steps().iter().zip(&self.steps)
    }

    /// The digest of what lint said of the plan: a decision about the run names it.
    #[must_use]
    pub fn findings_digest(&self) -> FindingsDigest {
        FindingsDigest::of(&self.findings)
    }

    /// What was seen of the application's health since the last step, when that is watched.
    #[must_use]
    pub fn monitoring(&self) -> Option<&Monitoring> {
        self.monitoring.as_ref()
    }

    /// How long it took to have the application back: the steps, and the time until its health was green for good. None
    /// until that is so, or when nobody watches.
    #[must_use]
    pub fn recovery_time(&self) -> Option<RecoveryTime> {
        let seen = self.monitoring.as_ref()?;
        Some(RecoveryTime {
            execution: seen.began,
            until_green: seen.recovered?.saturating_sub(seen.began),
            objective: self.plan.objectives().rto,
        })
    }

    /// What the run lost of the writes that had been acknowledged, as far as its journal can say.
    #[must_use]
    pub fn rpo(&self) -> crate::engine::Rpo {
        crate::engine::Rpo::of(self)
    }

    /// What stands of a run that ended [`Dirty`](RunEnd::Dirty).
    #[must_use]
    pub fn effects_left(&self) -> &[StandingEffect] {
        &self.effects_left
    }

    /// Who switched what to ungraceful, in order.
    #[must_use]
    pub fn switches(&self) -> &[Switch] {
        &self.switches
    }

    /// Who paused the run, and why, while it is paused.
    #[must_use]
    pub fn paused(&self) -> Option<&Signed> {
        self.paused.as_ref()
    }

    /// Who wants the run ended, and how.
    #[must_use]
    pub fn cancel(&self) -> Option<&Cancel> {
        self.cancel.as_ref()
    }

    /// How the run ended, and in a sentence.
    #[must_use]
    pub fn ended(&self) -> Option<(RunEnd, &str)> {
        self.ended.as_ref().map(|(end, summary)| (*end, summary.as_str()))
    }

    /// Why the engine let go of the run, when it did.
    #[must_use]
    pub fn held(&self) -> Option<&str> {
        self.held.as_deref()
    }

    /// What the journal keeps beside the steps.
    #[must_use]
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// The last request that was answered; every earlier one was, too.
    #[must_use]
    pub fn answered(&self) -> RequestId {
        self.answered
    }

    /// Whether the pause by a failed step has been written down.
    pub(in crate::engine) fn failure_told(&self) -> bool {
        self.failure_told
    }

    /// The same view, held.
    pub(in crate::engine) fn hold(mut self, reason: String) -> Self {
        self.held = Some(reason);
        self
    }

    /// Whether a step from which there is no way back was made, or may have been.
    #[must_use]
    pub fn past_return(&self) -> bool {
        self.frontier.past_return()
    }

    /// Everything that the run changed and has not taken back, in the order in which it did so: what a failback restores.
    #[must_use]
    pub fn before_images(&self) -> BeforeImages {
        let mut changed: Vec<_> = self.standing_last_first().collect();
        changed.sort_by_key(|(_, view)| view.order);
        let image = |(step, view): (&PlanStep, &StepView)| {
            Some(BeforeImage {
                step: step.id.clone(),
                kind: step.kind.clone(),
                resource: step.resource.clone(),
                params: view.params.clone().unwrap_or_else(|| step.params.clone()),
                before: view.before.clone()?,
            })
        };
        BeforeImages(changed.into_iter().filter_map(image).collect())
    }
}

#[cfg(test)]
impl RunView {
    /// Panics when the frontier is not what a computation from nothing gives.
    pub(in crate::engine) fn check_frontier(&self) {
        let places = Arc::new(Places::of(self.plan.steps()));
        assert_eq!(self.frontier, Frontier::of(places, self.plan.steps(), &self.steps));
    }

    /// Panics when what is kept of the groups is not what their members say.
    pub(in crate::engine) fn check_groups(&self) {
        for (group, clock) in self.group_clocks() {
            let open = self.members(group.id.as_str()).filter(|(_, step)| !step.settled()).count();
            assert_eq!(clock.open, open, "{}", group.id);
            let begun = self.members(group.id.as_str()).any(|(_, step)| step.started.is_some());
            assert_eq!(clock.started.is_some(), begun, "{}", group.id);
        }
    }
}
