//! Takes away what does not matter, one thing at a time, for as long as the same promise is broken.

use super::{Simulated, scenario::Scenario};
use std::time::Duration;

/// The smallest scenario that still fails.
pub(crate) fn shrink(failed: Simulated, fails: &impl Fn(&Scenario) -> Option<Simulated>) -> Simulated {
    let mut smallest = failed;
    loop {
        let mut smaller = None;
        for candidate in candidates(smallest.scenario()) {
            if let Some(run) = fails(&candidate) {
                smaller = Some(run);
                break;
            }
        }
        match smaller {
            Some(run) => smallest = run,
            None => return smallest,
        }
    }
}

/// Every scenario with one thing less.
fn candidates(scenario: &Scenario) -> Vec<Scenario> {
    let mut all = Vec::new();
    let mut add = |change: &dyn Fn(&mut Scenario)| {
        let mut smaller = scenario.clone();
        change(&mut smaller);
        if smaller != *scenario {
            all.push(smaller);
        }
    };
    for at in 0..scenario.troubles.len() {
        add(&|s| drop(s.troubles.remove(at)));
    }
    for at in 0..scenario.wishes.len() {
        add(&|s| drop(s.wishes.remove(at)));
    }
    if scenario.engines.len() > 1 {
        // The last only: troubles name engines by their place.
        add(&|s| {
            s.engines.pop();
        });
    }
    for at in (0..scenario.steps.len()).rev() {
        if scenario.steps.len() > 1 {
            let company = company(scenario, at);
            if company.len() == scenario.steps.len() {
                continue;
            }
            add(&|s| {
                for id in &company {
                    if let Some(at) = s.steps.iter().position(|step| step.id == *id) {
                        remove_step(s, at);
                    }
                }
            });
        }
    }
    for at in 0..scenario.steps.len() {
        add(&|s| {
            if let Some(step) = s.steps.get_mut(at) {
                step.takes_ms = 0
            }
        });
        add(&|s| {
            if let Some(step) = s.steps.get_mut(at) {
                step.gate = false
            }
        });
        add(&|s| {
            if let Some(step) = s.steps.get_mut(at) {
                step.several = false
            }
        });
    }
    for at in 0..scenario.engines.len() {
        add(&|s| {
            if let Some(engine) = s.engines.get_mut(at) {
                engine.restarts = 0
            }
        });
        add(&|s| {
            if let Some(engine) = s.engines.get_mut(at) {
                engine.patience = Duration::ZERO
            }
        });
    }
    add(&|s| s.deadline = Duration::from_secs(3_600));
    all
}

/// The steps that only make sense together: all of one store, and what restores with what it restores.
fn company(scenario: &Scenario, at: usize) -> Vec<String> {
    let Some(step) = scenario.steps.get(at) else { return Vec::new() };
    if !scenario.sensible {
        return vec![step.id.clone()];
    }
    let store = |id: &str| id.chars().last().filter(char::is_ascii_digit);
    let mate = |other: &&super::scenario::StepScript| {
        other.id == step.id
            || store(&step.id).is_some() && store(&step.id) == store(&other.id)
            || other.undoes.as_ref() == Some(&step.id)
            || step.undoes.as_ref() == Some(&other.id)
    };
    scenario.steps.iter().filter(mate).map(|other| other.id.clone()).collect()
}

/// Takes a step out; what came after it comes after what it came after.
fn remove_step(scenario: &mut Scenario, at: usize) {
    let removed = scenario.steps.remove(at);
    // Without the step whose note it reads, a restoring step makes no sense.
    let orphans: Vec<String> = scenario
        .steps
        .iter()
        .filter(|step| step.undoes.as_ref() == Some(&removed.id))
        .map(|step| step.id.clone())
        .collect();
    for step in &mut scenario.steps {
        if let Some(place) = step.after.iter().position(|id| *id == removed.id) {
            step.after.remove(place);
            for before in removed.after.iter().chain(&removed.undoes) {
                if !step.after.contains(before) {
                    step.after.push(before.clone());
                }
            }
        }
    }
    for orphan in orphans {
        if let Some(at) = scenario.steps.iter().position(|step| step.id == orphan) {
            remove_step(scenario, at);
        }
    }
}
