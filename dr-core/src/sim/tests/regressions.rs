//! What the simulation has found, each as the smallest story that showed it. Seeds change their meaning when the generator
//! learns something new; these do not.

use std::time::Duration;

use super::kept;
use crate::{
    plan::{GoalKind, Mode},
    sim::{
        Simulated, VirtualTime,
        cell::Cell,
        scenario::{Closing, EngineScript, Scenario, StepScript, Trouble, Wish},
    },
};

fn step(id: &str, kind: &'static str, sets: Vec<(Cell, i64)>, after: &[&str]) -> StepScript {
    StepScript {
        id: id.to_owned(),
        kind,
        several: sets.len() > 1,
        sets,
        region: 1,
        takes_ms: 1_500,
        after: after.iter().map(|id| (*id).to_owned()).collect(),
        gate: false,
        timeout: Duration::from_secs(60),
        attempts: 2,
        undoes: None,
        ungraceful: None,
    }
}

fn engine(start_s: u64) -> EngineScript {
    EngineScript {
        start: Duration::from_secs(start_s),
        lease: Duration::from_secs(9),
        patience: Duration::from_secs(60),
        waits: true,
        approves: false,
        restart_after: Duration::from_secs(1),
        restarts: 2,
    }
}

fn scenario(goal: GoalKind, steps: Vec<StepScript>) -> Scenario {
    Scenario {
        seed: 17,
        goal,
        mode: Mode::Ungraceful,
        to: 1,
        sensible: true,
        steps,
        deadline: Duration::from_secs(3_600),
        engines: vec![engine(0)],
        troubles: Vec::new(),
        wishes: Vec::new(),
        heals: Duration::from_secs(90),
        closing: Closing::Skip,
    }
}

fn plays(time: &VirtualTime, scenario: Scenario) {
    kept(Simulated::of(time, scenario, None).unwrap(), time);
}

/// Seed 17: cancelled between the look and the act, the engine still promoted, and could not take it back.
#[test]
fn a_run_that_is_cancelled_between_the_look_and_the_act_does_not_act() {
    let time = VirtualTime::new().unwrap();
    for ms in (0..6_000).step_by(40) {
        let steps = vec![
            step("fence-0", "sim.fence", vec![(Cell::accepts(0, 0), 0)], &[]),
            step("promote-0", "sim.promote", vec![(Cell::accepts(0, 1), 1)], &["fence-0"]),
        ];
        let mut scenario = scenario(GoalKind::Failover, steps);
        scenario.wishes = vec![(Duration::from_millis(ms), Wish::Cancel { compensate: true })];
        plays(&time, scenario);
    }
}

/// Seed 1818: somebody skipped a check that was not reached yet, and what came after the check began at once: before the
/// promotion that the check itself waited for.
#[test]
fn who_skips_a_step_does_not_skip_what_comes_before_it() {
    let time = VirtualTime::new().unwrap();
    let mut promote = step("promote-0", "sim.promote", vec![(Cell::accepts(0, 1), 1)], &["fence-0"]);
    promote.gate = true;
    let steps = vec![
        step("fence-0", "sim.fence", vec![(Cell::accepts(0, 0), 0)], &[]),
        promote,
        step("confirm", "sim.check", vec![(Cell::accepts(0, 1), 1)], &["promote-0"]),
        step("fence-back-0", "sim.fence", vec![(Cell::accepts(0, 1), 0)], &["confirm"]),
        step("promote-back-0", "sim.promote", vec![(Cell::accepts(0, 0), 1)], &["fence-back-0"]),
    ];
    let mut scenario = scenario(GoalKind::Drill, steps);
    scenario.wishes = vec![(Duration::from_secs(3), Wish::Skip("confirm".to_owned()))];
    plays(&time, scenario);
}

/// A verb that makes several calls was stopped between two of them, with its machine, and went on after another engine had
/// taken the run up.
#[test]
fn a_machine_that_stood_still_in_the_middle_of_a_verb_makes_no_further_call() {
    let time = VirtualTime::new().unwrap();
    for ms in (0..1_200).step_by(20) {
        let cells = (0..3).map(|region| (Cell::frozen(region), 1)).collect();
        let steps = vec![step("freeze", "sim.freeze", cells, &[])];
        let mut scenario = scenario(GoalKind::Failover, steps);
        scenario.engines.push(engine(1));
        let (from, until) = (Duration::from_millis(ms), Duration::from_millis(ms + 40_000));
        scenario.troubles = vec![Trouble::Suspend { engine: 0, from, until, counted: true }];
        plays(&time, scenario);
    }
}
