use std::collections::BTreeSet;

use super::{PlanStep, names::Names};
use crate::model::StepId;

/// Positions in an order in which each step follows what it waits for, or one cycle.
pub(super) fn topological(steps: &[PlanStep], names: &Names) -> Result<Vec<usize>, Vec<StepId>> {
    let mut waits: Vec<usize> = Vec::with_capacity(steps.len());
    let mut followers: Vec<Vec<usize>> = vec![Vec::new(); steps.len()];
    for (at, step) in steps.iter().enumerate() {
        let before: Vec<usize> = step.after.iter().filter_map(|id| names.get(id.as_str())).collect();
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
    if order.len() == steps.len() { Ok(order) } else { Err(find_cycle(steps, names, &order)) }
}

/// One cycle among the steps that could not be ordered, for the message.
fn find_cycle(steps: &[PlanStep], names: &Names, ordered: &[usize]) -> Vec<StepId> {
    let ordered: BTreeSet<usize> = ordered.iter().copied().collect();
    let Some(mut at) = (0..steps.len()).find(|at| !ordered.contains(at)) else { return Vec::new() };
    let mut path: Vec<usize> = Vec::new();
    // Every unordered step waits for another unordered one, so that walking back must come round.
    while !path.contains(&at) {
        path.push(at);
        let back = steps
            .get(at)
            .and_then(|step| step.after.iter().filter_map(|id| names.get(id.as_str())).find(|b| !ordered.contains(b)));
        match back {
            Some(b) => at = b,
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
