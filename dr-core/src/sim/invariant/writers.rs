//! Two writers, and traffic that comes before its writer.

use std::time::Duration;

use super::{Evidence, Invariant, Violation};
use crate::sim::{
    cell::{Cell, REGIONS, STORES},
    history::{Role, What},
};

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    // A plan that promotes without a fence makes two writers by itself: lint blocks it, the engine does as it says.
    if evidence.scenario.sensible {
        two_writers(evidence, found);
        traffic(evidence, found);
    }
}

fn two_writers(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    for (store, name) in (0..3_u8).zip(STORES) {
        // Whoever skips a fence decides for two writers.
        let fences = evidence.scenario.steps.iter().filter(|step| step.kind == "sim.fence");
        let waived = fences
            .filter(|step| step.sets.iter().any(|(cell, _)| cell.0 / 3 == store))
            .any(|step| evidence.skipped(&step.id));
        // Whoever skips a step whose call may still arrive decides for what it does then; the end of a drill names it.
        let mut steps = evidence.scenario.steps.iter();
        let may_arrive = steps
            .any(|step| step.sets.iter().any(|(cell, _)| cell.0 / 3 == store) && evidence.skipped_in_doubt(&step.id));
        let overtaken = (0..3).any(|region| evidence.overtaken(Cell::accepts(store, region).0));
        if waived || may_arrive || overtaken {
            continue;
        }
        let course = |region| evidence.courses.get(usize::from(Cell::accepts(store, region).0));
        let mut moments: Vec<Duration> =
            (0..3).filter_map(course).flat_map(|course| course.changes().iter().map(|(at, _)| *at)).collect();
        moments.sort_unstable();
        moments.dedup();
        for at in moments {
            let writers: Vec<&str> = (0..3_u8)
                .zip(REGIONS)
                .filter(|(region, _)| course(*region).is_some_and(|course| course.at(at) == 1))
                .map(|(_, region)| region)
                .collect();
            if writers.len() > 1 {
                let what = format!("{name} accepts writes in {}", writers.join(" and "));
                found.push(Violation { invariant: Invariant::OneWriter, at, what });
                break;
            }
        }
    }
}

fn traffic(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    for (at, what) in evidence.history {
        let What::Called(call) = what else { continue };
        let Some(step) = evidence.scenario.steps.get(usize::from(call.step)) else { continue };
        if !call.writes || call.role != Role::Execute || step.kind != "sim.shift" {
            continue;
        }
        for promotion in &evidence.scenario.steps {
            if !matches!(promotion.kind, "sim.promote" | "sim.switchover")
                || evidence.skipped(&promotion.id)
                || !evidence.scenario.precedes(&promotion.id, &step.id)
            {
                continue;
            }
            for (cell, value) in &promotion.sets {
                let is = evidence.courses.get(usize::from(cell.0)).map_or(0, |course| course.at(*at));
                if is != *value && !evidence.overtaken(cell.0) {
                    let what =
                        format!("{} moves traffic, but {} has not been made: {cell} is {is}", step.id, promotion.id);
                    found.push(Violation { invariant: Invariant::TrafficFollowsWriters, at: *at, what });
                    return;
                }
            }
        }
    }
}
