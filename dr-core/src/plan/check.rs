use super::{
    Group, GroupKind, InvalidPlan, Plan, PlanDigest, PlanProblem, PlanStep, Ungraceful, membership::Membership,
    names::Names, order::Edges, plan::Draft, references, safety,
};
use crate::model::StepId;

/// The version of the stored form.
pub(super) const FORMAT: u32 = 1;

/// Checks a draft, puts its steps in topological order (stable: as given where the edges leave a choice) and signs it.
pub(super) fn check(draft: Draft) -> Result<Plan, InvalidPlan> {
    check_with(draft, &[])
}

/// The same, with groups that wait: each beside what must have ended before it.
pub(super) fn check_with(mut draft: Draft, group_after: &[(StepId, StepId)]) -> Result<Plan, InvalidPlan> {
    if draft.format != FORMAT {
        return Err(InvalidPlan(vec![PlanProblem::Format(draft.format)]));
    }
    let mut problems = Vec::new();
    regions(&mut draft, &mut problems);
    if draft.steps.is_empty() {
        problems.push(PlanProblem::Empty);
    }
    for step in &mut draft.steps {
        step.after.extend(references(&step.params));
    }
    place_groups(&mut draft, group_after, &mut problems);
    for step in &mut draft.steps {
        step.after.sort();
        step.after.dedup();
    }
    let names = Names::of(&draft.steps);
    for shared in names.shared() {
        problems.extend(StepId::new(shared).map(PlanProblem::DuplicateStep));
    }
    let mut edges = Edges::with_steps(draft.steps.len());
    for (at, step) in draft.steps.iter().enumerate() {
        one_step(step, &mut problems);
        for before in &step.after {
            match names.get(before.as_str()) {
                Some(before) => edges.add(before, at),
                None => {
                    problems.push(PlanProblem::MissingStep { step: step.id.clone(), missing: before.clone() });
                }
            }
        }
    }
    let order = edges.order();
    if let Err(cycle) = &order {
        let named = cycle.iter().filter_map(|at| draft.steps.get(*at)).map(|step| step.id.clone());
        problems.push(PlanProblem::Cycle(named.collect()));
    }
    let (Ok(order), true) = (order, problems.is_empty()) else { return Err(InvalidPlan(problems)) };
    let mut by_name = names.places();
    // Nothing to move when the steps were given in an order that their edges allow.
    if let Some(order) = order {
        let mut slots: Vec<Option<PlanStep>> = draft.steps.into_iter().map(Some).collect();
        draft.steps = order.iter().filter_map(|at| slots.get_mut(*at).and_then(Option::take)).collect();
        by_name = Names::of(&draft.steps).places();
    }
    let unsafe_rules = safety::problems(&draft.safety, &draft.steps);
    if !unsafe_rules.is_empty() {
        let problem = |(rule, message)| PlanProblem::BadRule { rule, message };
        return Err(InvalidPlan(unsafe_rules.into_iter().map(problem).collect()));
    }
    let digest = PlanDigest::of(&draft).map_err(|e| InvalidPlan(vec![PlanProblem::BadName(e.to_string())]))?;
    let membership = Membership::of(&draft.groups, &draft.steps);
    Ok(Plan { draft, digest, by_name, membership })
}

fn regions(draft: &mut Draft, problems: &mut Vec<PlanProblem>) {
    let goal = &draft.goal;
    if goal.from == goal.to {
        problems.push(PlanProblem::SameRegion(goal.from.to_string()));
    }
    draft.standing.sort();
    draft.standing.dedup();
    let moved = draft.standing.iter().filter(|region| **region == goal.from || **region == goal.to);
    problems.extend(moved.map(|region| PlanProblem::StandingRegion(region.to_string())));
}

fn one_step(step: &PlanStep, problems: &mut Vec<PlanProblem>) {
    if step.timeout.is_zero() {
        problems.push(PlanProblem::NoTimeout(step.id.clone()));
    }
    if step.retry.attempts == 0 {
        problems.push(PlanProblem::NoAttempt(step.id.clone()));
    }
    if let Some(Ungraceful::MinimumSuccess { percent }) = step.ungraceful
        && percent > 99
    {
        problems.push(PlanProblem::Percent { step: step.id.clone(), percent });
    }
}

/// Turns what is said of groups into edges between steps: the order of serial groups, waits for a group, and waits of one.
///
/// Checking a checked plan again adds nothing: each edge is there already.
fn place_groups(draft: &mut Draft, group_after: &[(StepId, StepId)], problems: &mut Vec<PlanProblem>) {
    let Draft { steps, groups, .. } = draft;
    if groups.is_empty() {
        return;
    }
    let membership = Membership::checked(groups, steps, &Names::of(steps), problems);
    // The inner groups first: where a group begins and ends depends on the edges inside it.
    let depth = |group: &Group| {
        std::iter::successors(membership.group_of(group.id.as_str()), |at| {
            membership.group_of(groups.get(*at)?.id.as_str())
        })
        .take(groups.len())
        .count()
    };
    let mut inner_first: Vec<(usize, &Group)> =
        groups.iter().filter(|group| group.kind == GroupKind::Serial).map(|group| (depth(group), group)).collect();
    inner_first.sort_by_key(|(depth, _)| std::cmp::Reverse(*depth));
    for (_, group) in inner_first {
        for (one, next) in group.members.iter().zip(group.members.iter().skip(1)) {
            follow(steps, &membership, one, next);
        }
    }
    let named: Vec<&Group> =
        groups.iter().filter(|group| steps.iter().any(|step| step.after.contains(&group.id))).collect();
    for group in named {
        let last = last_of(steps, &membership.steps_of(group.id.as_str(), &Names::of(steps)));
        for step in steps.iter_mut().filter(|step| step.after.contains(&group.id)) {
            step.after.retain(|before| *before != group.id);
            step.after.extend(last.iter().cloned());
        }
    }
    for (group, before) in group_after {
        let names = Names::of(steps);
        if names.get(before.as_str()).is_none() && !groups.iter().any(|group| group.id == *before) {
            problems.push(PlanProblem::MissingStep { step: group.clone(), missing: before.clone() });
        }
        follow(steps, &membership, before, group);
    }
}

/// The first steps of `next` wait for the last steps of `one`.
fn follow(steps: &mut [PlanStep], membership: &Membership, one: &StepId, next: &StepId) {
    let names = Names::of(steps);
    let (before, inside) = (membership.steps_of(one.as_str(), &names), membership.steps_of(next.as_str(), &names));
    let last = last_of(steps, &before);
    let first: Vec<usize> = inside
        .iter()
        .copied()
        .filter(|at| {
            let waits = steps.get(*at).map_or(&[][..], |step| step.after.as_slice());
            !waits.iter().filter_map(|id| names.get(id.as_str())).any(|before| inside.contains(&before))
        })
        .collect();
    for at in first {
        if let Some(step) = steps.get_mut(at) {
            step.after.extend(last.iter().cloned());
        }
    }
}

/// The steps of a few that none of the others waits for.
fn last_of(steps: &[PlanStep], few: &[usize]) -> Vec<StepId> {
    let few: Vec<&PlanStep> = few.iter().filter_map(|at| steps.get(*at)).collect();
    let waited_for: std::collections::BTreeSet<&StepId> = few.iter().flat_map(|step| &step.after).collect();
    few.into_iter().filter(|step| !waited_for.contains(&step.id)).map(|step| step.id.clone()).collect()
}
