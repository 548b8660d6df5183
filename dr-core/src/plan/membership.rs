use std::collections::{BTreeMap, BTreeSet};

use super::{Group, PlanProblem, PlanStep, names::Names};
use crate::model::StepId;

/// Which group each step and group is a member of, and which steps are in each group.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Membership {
    /// The place of the group that each member is in directly.
    group_of: BTreeMap<StepId, usize>,
    /// The places of the steps in each group and in the groups in it, in the order of the steps.
    steps: BTreeMap<StepId, Vec<usize>>,
}

impl Membership {
    /// The membership of checked groups.
    pub(super) fn of(groups: &[Group], steps: &[PlanStep]) -> Self {
        Self::checked(groups, steps, &Names::of(steps), &mut Vec::new())
    }

    /// The membership, and what is wrong with it. Where groups are in each other, no steps are in any.
    pub(super) fn checked(
        groups: &[Group],
        steps: &[PlanStep],
        names: &Names<'_>,
        problems: &mut Vec<PlanProblem>,
    ) -> Self {
        if groups.is_empty() {
            return Self::default();
        }
        let mut places: BTreeMap<&StepId, usize> = BTreeMap::new();
        for (at, group) in groups.iter().enumerate() {
            if places.insert(&group.id, at).is_some() || names.get(group.id.as_str()).is_some() {
                problems.push(PlanProblem::DuplicateGroup(group.id.clone()));
            }
            if group.members.is_empty() {
                problems.push(PlanProblem::EmptyGroup(group.id.clone()));
            }
            if group.deadline.is_some_and(|deadline| deadline.is_zero()) {
                problems.push(PlanProblem::NoGroupDeadline(group.id.clone()));
            }
        }
        let mut group_of: BTreeMap<StepId, usize> = BTreeMap::new();
        for (at, group) in groups.iter().enumerate() {
            for member in &group.members {
                if names.get(member.as_str()).is_none() && !places.contains_key(member) {
                    let (group, member) = (group.id.clone(), member.clone());
                    problems.push(PlanProblem::UnknownMember { group, member });
                } else if let Some(first) = group_of.get(member).and_then(|first| groups.get(*first)) {
                    let (first, second) = (first.id.clone(), group.id.clone());
                    problems.push(PlanProblem::TwoGroups { member: member.clone(), first, second });
                } else {
                    group_of.insert(member.clone(), at);
                }
            }
        }
        let cycles = cycles(groups, &group_of);
        let mut membership = Self { group_of, steps: BTreeMap::new() };
        if cycles.is_empty() {
            membership.place(groups, steps);
        }
        problems.extend(cycles.into_iter().map(PlanProblem::GroupCycle));
        membership
    }

    fn place(&mut self, groups: &[Group], steps: &[PlanStep]) {
        let mut inside: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        for (at, step) in steps.iter().enumerate() {
            let mut around = self.group_of(step.id.as_str());
            while let Some(group) = around {
                if let Some(inside) = inside.get_mut(group) {
                    inside.push(at);
                }
                around = groups.get(group).and_then(|group| self.group_of(group.id.as_str()));
            }
        }
        self.steps = groups.iter().zip(inside).map(|(group, inside)| (group.id.clone(), inside)).collect();
    }

    pub(super) fn group_of(&self, member: &str) -> Option<usize> {
        self.group_of.get(member).copied()
    }

    pub(super) fn steps_in(&self, group: &str) -> &[usize] {
        self.steps.get(group).map_or(&[], Vec::as_slice)
    }

    /// The steps that a member stands for: itself, or those in it.
    pub(super) fn steps_of(&self, member: &str, names: &Names<'_>) -> Vec<usize> {
        match self.steps.get(member) {
            Some(inside) => inside.clone(),
            None => names.get(member).into_iter().collect(),
        }
    }
}

/// The groups that are in each other, each round once, told from the group that was written first.
fn cycles(groups: &[Group], group_of: &BTreeMap<StepId, usize>) -> Vec<Vec<StepId>> {
    let mut done: BTreeSet<usize> = BTreeSet::new();
    let mut rounds = Vec::new();
    for start in 0..groups.len() {
        let mut path: Vec<usize> = Vec::new();
        let mut at = Some(start);
        while let Some(group) = at {
            if let Some(from) = path.iter().position(|earlier| *earlier == group) {
                let round = path.iter().skip(from).chain([&group]);
                rounds.push(round.filter_map(|at| groups.get(*at)).map(|group| group.id.clone()).collect());
                break;
            }
            if !done.insert(group) {
                break;
            }
            path.push(group);
            at = groups.get(group).and_then(|group| group_of.get(&group.id)).copied();
        }
    }
    rounds
}
