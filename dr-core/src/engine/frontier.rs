use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{StepState, StepView, backoff};
use crate::{model::StepId, plan::PlanStep, step::Reversibility};

/// The steps of a plan by number: where each stands in the plan's order, and who waits for it. Made once for a run.
#[derive(Debug, PartialEq)]
pub(super) struct Places {
    by_id: BTreeMap<StepId, usize>,
    /// For each step, those that wait for it.
    dependants: Vec<Vec<usize>>,
    /// For each step, how many it waits for.
    dependencies: Vec<usize>,
}

impl Places {
    pub(super) fn of(steps: &[PlanStep]) -> Self {
        let by_id: BTreeMap<StepId, usize> = steps.iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect();
        let mut dependants = vec![Vec::new(); steps.len()];
        for (at, step) in steps.iter().enumerate() {
            for before in &step.after {
                // A dependency that is no step is never met; a built plan has none.
                if let Some(waiting) = by_id.get(before).and_then(|before| dependants.get_mut(*before)) {
                    waiting.push(at);
                }
            }
        }
        Self { by_id, dependants, dependencies: steps.iter().map(|step| step.after.len()).collect() }
    }

    /// Where the step of this name stands.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }
}

/// What matters of a step for what should happen next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Class {
    /// It would begin if nothing stood in its way.
    wanted: bool,
    running: bool,
    settled: bool,
    /// Its last attempt failed, and it is not tried again unless somebody asks.
    failed: bool,
    /// The same of taking its effect back.
    undo_failed: bool,
    may_stand: bool,
    /// It may stand, and there is no way back from it.
    past_return: bool,
}

impl Class {
    fn of(step: &PlanStep, view: &StepView) -> Self {
        let exhausted = backoff::exhausted(step, view);
        let failed = matches!(view.state, StepState::Failed { .. });
        let may_stand = view.may_stand();
        Self {
            wanted: matches!(view.state, StepState::Pending | StepState::Interrupted) || failed && !exhausted,
            running: view.state == StepState::Running,
            settled: view.settled(),
            failed: failed && exhausted,
            undo_failed: matches!(view.state, StepState::CompensationFailed { .. }) && exhausted,
            may_stand,
            past_return: may_stand && step.reversibility == Reversibility::Irreversible,
        }
    }
}

/// Where a run is in its graph, kept from record to record, so that a decision costs what changes and not what the plan
/// is long. It holds nothing that the steps' views do not say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frontier {
    places: Arc<Places>,
    classes: Vec<Class>,
    /// For each step, whether those that wait for it may pass: it has settled, and so has all that it waits for itself.
    /// Who skips a step goes on without that step, not without what comes before it.
    passed: Vec<bool>,
    /// For each step, how many of those it waits for let nobody pass.
    unmet: Vec<usize>,
    /// Wanted, and every dependency lets it pass.
    ready: BTreeSet<usize>,
    running: BTreeSet<usize>,
    failed: BTreeSet<usize>,
    undo_failed: BTreeSet<usize>,
    standing: BTreeSet<usize>,
    past_return: usize,
    unsettled: usize,
}

impl Frontier {
    /// The frontier of these steps, computed from nothing.
    pub(super) fn of(places: Arc<Places>, steps: &[PlanStep], views: &[StepView]) -> Self {
        let mut frontier = Self {
            passed: vec![false; steps.len()],
            unmet: places.dependencies.clone(),
            classes: vec![Class::default(); steps.len()],
            unsettled: steps.len(),
            places,
            ready: BTreeSet::new(),
            running: BTreeSet::new(),
            failed: BTreeSet::new(),
            undo_failed: BTreeSet::new(),
            standing: BTreeSet::new(),
            past_return: 0,
        };
        for (at, (step, view)) in steps.iter().zip(views).enumerate() {
            frontier.update(at, step, view);
        }
        frontier
    }

    /// Takes in what one step has become.
    pub(super) fn update(&mut self, at: usize, step: &PlanStep, view: &StepView) {
        let new = Class::of(step, view);
        let Some(class) = self.classes.get_mut(at) else { return };
        let old = std::mem::replace(class, new);
        if old == new {
            return;
        }
        keep(&mut self.running, at, new.running);
        keep(&mut self.failed, at, new.failed);
        keep(&mut self.undo_failed, at, new.undo_failed);
        keep(&mut self.standing, at, new.may_stand);
        match (old.past_return, new.past_return) {
            (false, true) => self.past_return += 1,
            (true, false) => self.past_return = self.past_return.saturating_sub(1),
            _ => {}
        }
        self.rank(at);
        if old.settled != new.settled {
            self.unsettled = if new.settled { self.unsettled.saturating_sub(1) } else { self.unsettled + 1 };
            self.pass(at);
        }
    }

    /// A step has settled, or what it did is being taken back: those that wait for it come nearer, or move away, and those
    /// that wait for them, where they were skipped.
    fn pass(&mut self, at: usize) {
        let places = Arc::clone(&self.places);
        let mut changed = vec![at];
        while let Some(at) = changed.pop() {
            let settled = self.classes.get(at).is_some_and(|class| class.settled);
            let passes = settled && self.unmet.get(at) == Some(&0);
            let Some(passed) = self.passed.get_mut(at) else { continue };
            if std::mem::replace(passed, passes) == passes {
                continue;
            }
            for waiting in places.dependants.get(at).into_iter().flatten() {
                if let Some(unmet) = self.unmet.get_mut(*waiting) {
                    *unmet = if passes { unmet.saturating_sub(1) } else { *unmet + 1 };
                }
                self.rank(*waiting);
                changed.push(*waiting);
            }
        }
    }

    /// Puts a step among the ready ones, or takes it out.
    fn rank(&mut self, at: usize) {
        let wanted = self.classes.get(at).is_some_and(|class| class.wanted);
        let free = self.unmet.get(at) == Some(&0);
        keep(&mut self.ready, at, wanted && free);
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.places.find(id)
    }

    /// The steps that could begin now, in the plan's order.
    pub(super) fn ready(&self) -> impl Iterator<Item = usize> {
        self.ready.iter().copied()
    }

    pub(super) fn is_ready(&self, at: usize) -> bool {
        self.ready.contains(&at)
    }

    /// The steps of which an attempt is being made, in the plan's order.
    pub(super) fn running(&self) -> impl Iterator<Item = usize> {
        self.running.iter().copied()
    }

    /// The steps that failed for good, in the plan's order; when `unwinding`, only those that cannot be taken back.
    pub(super) fn failed(&self, unwinding: bool) -> impl Iterator<Item = usize> {
        let forward = (!unwinding).then_some(&self.failed);
        let forward = forward.into_iter().flatten().copied().peekable();
        merge(forward, self.undo_failed.iter().copied().peekable())
    }

    /// The steps that changed the world, or may have, last of the plan first.
    pub(super) fn standing_last_first(&self) -> impl Iterator<Item = usize> {
        self.standing.iter().rev().copied()
    }

    /// Whether one of them has no way back.
    pub(super) fn past_return(&self) -> bool {
        self.past_return > 0
    }

    /// Whether nothing is left to do.
    pub(super) fn all_settled(&self) -> bool {
        self.unsettled == 0
    }
}

fn keep(set: &mut BTreeSet<usize>, at: usize, is: bool) {
    if is {
        set.insert(at);
    } else {
        set.remove(&at);
    }
}

/// Two ascending sequences as one.
fn merge<A, B>(mut a: std::iter::Peekable<A>, mut b: std::iter::Peekable<B>) -> impl Iterator<Item = usize>
where
    A: Iterator<Item = usize>,
    B: Iterator<Item = usize>,
{
    std::iter::from_fn(move || match (a.peek(), b.peek()) {
        (Some(first), Some(second)) if second < first => b.next(),
        (Some(_), _) => a.next(),
        (None, _) => b.next(),
    })
}

#[cfg(test)]
mod tests {
    use super::merge;

    #[test]
    fn two_ascending_sequences_are_one() {
        let merged = |a: &[usize], b: &[usize]| -> Vec<usize> {
            merge(a.iter().copied().peekable(), b.iter().copied().peekable()).collect()
        };
        assert_eq!(merged(&[1, 4, 5], &[2, 3, 9]), [1, 2, 3, 4, 5, 9]);
        assert_eq!(merged(&[2, 3], &[1]), [1, 2, 3]);
        assert_eq!(merged(&[], &[7, 8]), [7, 8]);
    }
}
