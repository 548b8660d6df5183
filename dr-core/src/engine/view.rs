use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use futures::TryStreamExt as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Monitoring, RecoveryTime, RunState, StepView,
    frontier::{Frontier, Places},
    group_view::{GroupClock, GroupView},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{
        Decision, Entry, HealthNews, Intent, Journal, Link, Outcome, Record, RequestId, RunEnd, Seq, Signed,
        StandingEffect, damaged,
    },
    model::{Epoch, OwnerId, RunId, SafetyRuleId, StepId},
    plan::{Gate, Group, Inventory, Mode, Plan, PlanStep},
    planner::{BeforeImage, BeforeImages},
    time::Timestamp,
    validation::{Finding, FindingsDigest},
};

/// Somebody's wish to end a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Who, and why.
    pub by: Signed,
    /// Whether to take back what was done.
    pub compensate: bool,
    /// Whether nobody wished it: a gate's question expired.
    pub expired: bool,
}

/// Somebody's answer to the plan's gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What was decided.
    pub decision: Decision,
    /// Who, and why.
    pub by: Signed,
}

/// Somebody's decision that from then on the rules for ungraceful mode hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The step or group; absent for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<StepId>,
    /// Who, and why.
    pub by: Signed,
}

/// Why a safety rule does not let a step begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: SafetyRuleId,
    /// What it saw, for a person.
    pub why: String,
}

/// Something that the journal keeps beside the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// When, on the wall.
    pub at: Timestamp,
    /// What it is.
    pub topic: String,
    /// What it says.
    pub value: Value,
}

/// What the records of a run say, folded: a pure function of the journal, the same on every machine that reads it.
#[derive(Clone, Debug, PartialEq)]
pub struct RunView {
    run: RunId,
    plan: Arc<Plan>,
    inventory: Inventory,
    findings: Vec<Finding>,
    created: Timestamp,
    last: Timestamp,
    seq: Seq,
    taken_up: u32,
    owner: Option<(OwnerId, Epoch)>,
    /// In the plan's order.
    steps: Vec<StepView>,
    frontier: Frontier,
    asked: BTreeSet<StepId>,
    /// When the questions that expire do so, from the run's creation.
    due: BTreeMap<StepId, Duration>,
    approvals: Vec<Approval>,
    switches: Vec<Switch>,
    /// In the order of the plan's groups.
    groups: Vec<GroupClock>,
    refused: BTreeMap<StepId, Refusal>,
    overridden: BTreeMap<SafetyRuleId, Signed>,
    monitoring: Option<Monitoring>,
    effects_left: Vec<StandingEffect>,
    paused: Option<Signed>,
    failure_told: bool,
    cancel: Option<Cancel>,
    ended: Option<(RunEnd, String)>,
    held: Option<String>,
    notes: Vec<Note>,
    answered: RequestId,
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
    /// [`NotFound`](ErrorKind::NotFound) when the journal has no such run; [`Storage`](ErrorKind::Storage) naming the first
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

    /// Takes one more record in, with what it holds: for those who read a whole run.
    fn fold(&mut self, record: Record) {
        let Record { seq, at, epoch, entry, .. } = record;
        match entry {
            Entry::StepIntent(intent) => {
                self.stamp(seq, at);
                self.begun(seq, at, intent);
            }
            Entry::StepOutcome { step, attempt, outcome } => {
                self.stamp(seq, at);
                self.attempt_ended(at, &step, attempt, outcome);
            }
            other => self.apply(seq, at, epoch, &other),
        }
    }

    fn begun(&mut self, seq: Seq, at: Timestamp, intent: Intent) {
        if let Some(place) = self.frontier.find(intent.step.as_str()) {
            self.change(place, |step| step.intent(seq.0, at, intent));
        }
    }

    fn attempt_ended(&mut self, at: Timestamp, step: &StepId, attempt: u32, outcome: Outcome) {
        let skipped = matches!(outcome, Outcome::Skipped { .. });
        self.with(step, |step| step.outcome(at, attempt, outcome));
        self.refused.remove(step);
        self.lift_failure_pause(skipped);
    }

    fn stamp(&mut self, seq: Seq, at: Timestamp) {
        self.seq = seq;
        self.last = self.last.max(at);
    }

    /// Takes one more record in. Words about steps that the plan does not have are passed over.
    pub fn apply(&mut self, seq: Seq, at: Timestamp, epoch: Epoch, entry: &Entry) {
        self.stamp(seq, at);
        match entry {
            Entry::EngineStarted { owner } => {
                self.taken_up += 1;
                self.owner = Some((owner.clone(), epoch));
                (0..self.steps.len()).for_each(|at| self.change(at, StepView::interrupted));
                self.monitoring.iter_mut().for_each(Monitoring::interrupted);
            }
            Entry::StepIntent(intent) => self.begun(seq, at, intent.clone()),
            Entry::CompensationIntent { step, attempt } => self.with(step, |step| step.compensation_intent(*attempt)),
            Entry::StepOutcome { step, attempt, outcome } => {
                self.attempt_ended(at, step, *attempt, outcome.clone());
            }
            Entry::ApprovalRequested { step, due, .. } => {
                self.asked.insert(step.clone());
                self.due.extend(due.map(|due| (step.clone(), due)));
            }
            Entry::ApprovalExpired { step } => {
                let by = Signed { who: String::new(), why: format!("nobody opened the gate before {step} in time") };
                self.cancel.get_or_insert(Cancel { by, compensate: true, expired: true });
                self.failure_told = false;
            }
            Entry::ApprovalDecided { plan, decision, who, why, .. } if plan == self.plan.digest() => {
                let by = Signed { who: who.clone(), why: why.clone() };
                if *decision == Decision::Reject {
                    self.cancel.get_or_insert(Cancel { by: by.clone(), compensate: true, expired: false });
                    self.failure_told = false;
                }
                self.approvals.push(Approval { decision: *decision, by });
            }
            Entry::Paused { step: Some(part), .. } => match self.clock(part) {
                Some(clock) => clock.late = true,
                None => self.failure_told = true,
            },
            Entry::Paused { reason, step: None, who } => {
                self.paused = Some(Signed { who: who.clone().unwrap_or_default(), why: reason.clone() });
            }
            Entry::Resumed { .. } => self.paused = None,
            Entry::RetryRequested { step, .. } => {
                // A step that a rule refused has made no attempt: the rule is asked again, and that is all.
                let refused = self.refused.remove(step).is_some();
                match self.clock(step) {
                    Some(clock) => (clock.late, clock.started) = (false, Some(at)),
                    None if refused => {}
                    None => self.with(step, StepView::retry),
                }
                self.lift_failure_pause(true);
            }
            Entry::ModeSwitched { step, who, why } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.switches.push(Switch { part: step.clone(), by });
                self.switch(step.as_ref());
                self.lift_failure_pause(true);
            }
            Entry::CancelRequested { who, why, compensate } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.cancel.get_or_insert(Cancel { by, compensate: *compensate, expired: false });
                self.failure_told = false;
            }
            Entry::RuleRefused { step, rule, why } => {
                self.refused.insert(step.clone(), Refusal { rule: rule.clone(), why: why.clone() });
            }
            Entry::RuleOverridden { rule, who, why } => {
                let by = Signed { who: who.clone(), why: why.clone() };
                self.overridden.entry(rule.clone()).or_insert(by);
                self.refused.retain(|_, refusal| refusal.rule != *rule);
            }
            Entry::Health { news: HealthNews::Watched, elapsed, .. } => {
                self.monitoring.get_or_insert_with(|| Monitoring::new(*elapsed));
            }
            Entry::Health { news, elapsed, why } => {
                self.monitoring.iter_mut().for_each(|seen| seen.apply(news, *elapsed, why));
            }
            Entry::EffectsLeft { effects } => self.effects_left.clone_from(effects),
            Entry::Note { topic, value } => {
                self.notes.push(Note { at, topic: topic.clone(), value: value.clone() });
            }
            Entry::RequestAnswered { request, .. } => self.answered = self.answered.max(*request),
            Entry::RunEnded { end, summary } => self.ended = Some((*end, summary.clone())),
            // A skip is its outcome; a decision about another plan is none about this one; a run is created once.
            Entry::SkipRequested { .. } | Entry::ApprovalDecided { .. } | Entry::RunCreated { .. } => {}
        }
    }

    /// Switches every step of a part of the plan that has a rule for ungraceful mode and has not ended.
    fn switch(&mut self, part: Option<&StepId>) {
        let plan = Arc::clone(&self.plan);
        for at in plan.places_of(part.map(StepId::as_str)) {
            if let Some(rule) = plan.steps().get(at).and_then(|step| step.ungraceful)
                && self.steps.get(at).is_some_and(|step| !step.settled())
            {
                self.change(at, |step| step.switch(rule));
            }
        }
    }

    /// The clock of a group, when the name is one's.
    fn clock(&mut self, name: &StepId) -> Option<&mut GroupClock> {
        let at = self.plan.groups().iter().position(|group| group.id == *name)?;
        self.groups.get_mut(at)
    }

    fn with(&mut self, step: &StepId, change: impl FnOnce(&mut StepView)) {
        if let Some(at) = self.frontier.find(step.as_str()) {
            self.change(at, change);
        }
    }

    /// The only way to change a step: the frontier follows.
    fn change(&mut self, at: usize, change: impl FnOnce(&mut StepView)) {
        if let (Some(step), Some(view)) = (self.plan.steps().get(at), self.steps.get_mut(at)) {
            let (was_settled, had_begun) = (view.settled(), view.started.is_some());
            change(view);
            self.frontier.update(at, step, view);
            let (settled, started) = (view.settled(), view.started);
            if was_settled != settled || had_begun != started.is_some() {
                for group in self.plan.group_places_around(step.id.as_str()) {
                    if let Some(clock) = self.groups.get_mut(group) {
                        clock.member(was_settled, settled, started);
                    }
                }
            }
        }
    }

    fn lift_failure_pause(&mut self, decided: bool) {
        if decided && self.failed_for_good().next().is_none() {
            self.failure_told = false;
        }
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
    pub(super) fn group_clocks(&self) -> impl Iterator<Item = (&Group, &GroupClock)> {
        self.plan.groups().iter().zip(&self.groups)
    }

    /// The groups whose deadline has passed before their members had ended, and that nobody has decided on since.
    pub fn late_groups(&self) -> impl Iterator<Item = &Group> {
        self.group_clocks().filter(|(_, clock)| clock.late && clock.open > 0).map(|(group, _)| group)
    }

    /// The steps in a group and in the groups in it.
    pub(super) fn members(&self, group: &str) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.plan.places_in(group).iter().filter_map(|at| self.at(*at))
    }

    /// Whether a step is in ungraceful mode: its plan has a rule for it, and the plan's goal or somebody asked for it.
    #[must_use]
    pub fn ungraceful(&self, step: &str) -> bool {
        self.find(step).is_some_and(|(planned, view)| {
            planned.ungraceful.is_some() && (view.ungraceful || self.plan.goal().mode == Mode::Ungraceful)
        })
    }

    fn at(&self, at: usize) -> Option<(&PlanStep, &StepView)> {
        Some((self.plan.steps().get(at)?, self.steps.get(at)?))
    }

    /// The steps that could begin as far as their own state and their dependencies go, in the plan's order.
    pub(super) fn ready(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.frontier.ready().filter_map(|at| self.at(at))
    }

    /// The step of this name, if it is one of them.
    pub(super) fn find_ready(&self, id: &str) -> Option<(&PlanStep, &StepView)> {
        self.frontier.find(id).filter(|at| self.frontier.is_ready(*at)).and_then(|at| self.at(at))
    }

    /// The steps that changed the world, or may have, last of the plan first.
    pub(super) fn standing_last_first(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.frontier.standing_last_first().filter_map(|at| self.at(at))
    }

    /// Whether an attempt is being made.
    pub(super) fn under_way(&self) -> bool {
        self.frontier.running().next().is_some()
    }

    /// Whether every step is done or skipped.
    pub(super) fn all_settled(&self) -> bool {
        self.frontier.all_settled()
    }

    /// The steps, each after all those it depends on.
    pub fn steps(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        self.plan.steps().iter().zip(&self.steps)
    }

    /// The gates that were asked about.
    #[must_use]
    pub fn asked(&self) -> &BTreeSet<StepId> {
        &self.asked
    }

    /// The last answer to the gates, when there is one.
    #[must_use]
    pub fn approval(&self) -> Option<&Approval> {
        self.approvals.last()
    }

    /// Every answer to the gates: more than one where gates have different approvers.
    #[must_use]
    pub fn approvals(&self) -> &[Approval] {
        &self.approvals
    }

    /// Whether somebody approved the plan. A gate with approvers of its own may [wait](Self::is_open) still.
    #[must_use]
    pub fn approved(&self) -> bool {
        self.approvals.iter().any(|approval| approval.decision == Decision::Approve)
    }

    /// Whether somebody who may do so has opened a gate.
    #[must_use]
    pub fn is_open(&self, gate: &Gate) -> bool {
        let opens = |approval: &Approval| approval.decision == Decision::Approve && gate.may_approve(&approval.by.who);
        self.approvals.iter().any(opens)
    }

    /// Whether a gate that was asked about waits for an answer.
    #[must_use]
    pub fn waits_at_gate(&self) -> bool {
        let rejected = self.approvals.iter().any(|approval| approval.decision == Decision::Reject);
        !rejected && self.closed_gates().next().is_some()
    }

    /// The gates that were asked about and are closed still, with their steps.
    fn closed_gates(&self) -> impl Iterator<Item = (&PlanStep, &Gate)> {
        let closed = |step: &StepId| {
            let (step, view) = self.find(step.as_str())?;
            let gate = step.gate.as_ref()?;
            (!view.settled() && !self.is_open(gate)).then_some((step, gate))
        };
        self.asked.iter().filter_map(closed)
    }

    /// The first question to expire, and when, from the run's creation.
    pub(super) fn next_due(&self) -> Option<(Duration, &StepId)> {
        if self.due.is_empty() {
            return None;
        }
        let due =
            |(step, _): (&PlanStep, &Gate)| self.due.get_key_value(step.id.as_str()).map(|(step, due)| (*due, step));
        self.closed_gates().filter_map(due).min()
    }

    /// When the question before a step expires, from the run's creation.
    #[must_use]
    pub fn due(&self, step: &str) -> Option<Duration> {
        self.due.get(step).copied()
    }

    /// The digest of what lint said of the plan: a decision about the run names it.
    #[must_use]
    pub fn findings_digest(&self) -> FindingsDigest {
        FindingsDigest::of(&self.findings)
    }

    /// Why a safety rule does not let a step begin, while one does not.
    #[must_use]
    pub fn refusal(&self, step: &str) -> Option<&Refusal> {
        self.refused.get(step)
    }

    /// The steps that safety rules do not let begin.
    pub fn refused(&self) -> impl Iterator<Item = (&StepId, &Refusal)> {
        self.refused.iter()
    }

    /// Who overrode a safety rule, and why, when somebody did.
    #[must_use]
    pub fn overridden(&self, rule: &SafetyRuleId) -> Option<&Signed> {
        self.overridden.get(rule)
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
    pub fn rpo(&self) -> super::Rpo {
        super::Rpo::of(self)
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
    pub(super) fn failure_told(&self) -> bool {
        self.failure_told
    }

    /// The same view, held.
    pub(super) fn hold(mut self, reason: String) -> Self {
        self.held = Some(reason);
        self
    }

    /// The steps whose last attempt failed and that are not tried again unless somebody asks.
    pub fn failed_for_good(&self) -> impl Iterator<Item = (&PlanStep, &StepView)> {
        // Once somebody has ended the run, only what cannot be taken back needs a decision.
        self.frontier.failed(self.cancel.is_some()).filter_map(|at| self.at(at))
    }

    /// How far the run is.
    #[must_use]
    pub fn state(&self) -> RunState {
        if let Some((end, _)) = self.ended {
            return end.into();
        }
        if self.held.is_some() {
            return RunState::Held;
        }
        let refused = !self.refused.is_empty() || self.late_groups().next().is_some();
        if self.failed_for_good().next().is_some() || self.cancel.is_none() && refused {
            return RunState::PausedByFailure;
        }
        if self.monitoring.is_some() && self.cancel.is_none() {
            return RunState::MonitoringHealth;
        }
        if self.paused.is_some() {
            return RunState::PausedByOperator;
        }
        if self.cancel.is_some() {
            return RunState::Cancelling;
        }
        match (self.under_way(), self.waits_at_gate(), self.taken_up) {
            (false, true, _) => RunState::WaitingForApproval,
            (false, _, 0) => RunState::Pending,
            _ => RunState::Running,
        }
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
    pub(super) fn check_frontier(&self) {
        let places = Arc::new(Places::of(self.plan.steps()));
        assert_eq!(self.frontier, Frontier::of(places, self.plan.steps(), &self.steps));
    }

    /// Panics when what is kept of the groups is not what their members say.
    pub(super) fn check_groups(&self) {
        for (group, clock) in self.group_clocks() {
            let open = self.members(group.id.as_str()).filter(|(_, step)| !step.settled()).count();
            assert_eq!(clock.open, open, "{}", group.id);
            let begun = self.members(group.id.as_str()).any(|(_, step)| step.started.is_some());
            assert_eq!(clock.started.is_some(), begun, "{}", group.id);
        }
    }
}
