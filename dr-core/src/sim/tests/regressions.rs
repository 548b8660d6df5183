//! What the simulation has found, each as the smallest story that showed it. Seeds change their meaning when the generator
//! learns something new; these do not.

use std::time::Duration;

use super::kept;
use crate::{
    engine::RunState,
    plan::{GoalKind, Mode, Ungraceful},
    sim::{
        Simulated, VirtualTime,
        cell::Cell,
        scenario::{Closing, EngineScript, Scenario, StepScript, Trouble, Wish},
    },
    testing::{Fault, FaultRule},
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

/// Seeds 19187, 23350 and their like: the records end while a call is on its way. Whoever goes on does the same once more, or
/// takes it back; then the call arrives. No engine can know, and the judge has to.
#[test]
fn a_call_that_arrives_after_whoever_went_on_has_undone_it_is_told_from_a_broken_promise() {
    let time = VirtualTime::new().unwrap();
    for seed in 0..60 {
        let mut back = step("scale-back", "sim.restore", vec![(Cell::capacity(1), 0)], &["scale"]);
        back.undoes = Some("scale".to_owned());
        let mut thaw = step("thaw", "sim.restore", vec![(Cell::frozen(0), 1), (Cell::frozen(1), 1)], &["scale"]);
        thaw.undoes = Some("freeze".to_owned());
        let steps = vec![
            step("freeze", "sim.freeze", vec![(Cell::frozen(0), 1), (Cell::frozen(1), 1)], &[]),
            step("scale", "sim.scale", vec![(Cell::capacity(1), 8)], &[]),
            back,
            thaw,
        ];
        let rule = FaultRule {
            region: None,
            plane: None,
            operation: Some("sim:ScaleWorkload".to_owned()),
            skip: 0,
            times: Some(3),
            fault: Fault::Slow { delay_ms: 10_000 },
        };
        let mut scenario = Scenario { seed, ..scenario(GoalKind::Rehearsal, steps) };
        scenario.troubles = vec![Trouble::Calls { rule, from: Duration::ZERO }];
        if seed % 2 == 0 {
            scenario.wishes = vec![(Duration::from_millis(530 + seed), Wish::Cancel { compensate: true })];
        }
        plays(&time, scenario);
    }
}

/// Seeds 3297, 17318, 75566 and their like: somebody calls the run off while a verb is at work, and leaves all as it is (or has
/// it taken back). Whoever goes on from there looks at nothing, and names what it leaves.
#[test]
fn a_run_that_is_called_off_in_the_middle_of_a_verb_names_what_it_leaves_wherever_it_is_gone_on_with() {
    let time = VirtualTime::new().unwrap();
    for ms in (0..3_000).step_by(20) {
        let steps = vec![
            step("freeze", "sim.freeze", vec![(Cell::frozen(0), 1), (Cell::frozen(1), 1)], &[]),
            step("scale", "sim.scale", vec![(Cell::capacity(1), 8)], &[]),
        ];
        let mut scenario = Scenario { seed: ms, ..scenario(GoalKind::Failover, steps) };
        scenario.wishes = vec![(Duration::from_millis(ms), Wish::Cancel { compensate: ms % 3 == 0 })];
        plays(&time, scenario);
    }
}

/// Seed 879404: the look before a step's first attempt got no answer; meanwhile somebody skipped the step; then the look's
/// failure was written down, and the step was tried again and done.
#[test]
fn a_step_that_is_skipped_while_its_attempt_prepares_itself_stays_skipped() {
    let time = VirtualTime::new().unwrap();
    for secs in 1..16 {
        let steps = vec![
            step("freeze", "sim.freeze", vec![(Cell::frozen(0), 1)], &[]),
            step("more", "sim.freeze", vec![(Cell::frozen(1), 1)], &["freeze"]),
        ];
        let mut scenario = scenario(GoalKind::Failover, steps);
        let rule = FaultRule::new(Fault::BlackHole).on("sim:Describe*").times(1);
        scenario.troubles = vec![Trouble::Calls { rule, from: Duration::ZERO }];
        scenario.wishes =
            vec![(Duration::from_secs(secs), Wish::ThroughInbox(Box::new(Wish::Skip("freeze".to_owned()))))];
        let run = Simulated::of(&time, scenario, None).unwrap();
        assert_eq!(run.state(), Some(RunState::CompletedWithExceptions), "skipped at {secs} s: {}", run.story());
        kept(run, &time);
    }
}

/// Seed 119650: a promotion that would arrive half a minute late was skipped, and the drill ended as if nothing could come of it.
#[test]
fn a_drill_that_went_on_without_a_call_that_is_on_its_way_ends_dirty() {
    let time = VirtualTime::new().unwrap();
    let steps = vec![
        step("fence-0", "sim.fence", vec![(Cell::accepts(0, 0), 0)], &[]),
        step("promote-0", "sim.promote", vec![(Cell::accepts(0, 1), 1)], &["fence-0"]),
        step("fence-back-0", "sim.fence", vec![(Cell::accepts(0, 1), 0)], &["promote-0"]),
        step("promote-back-0", "sim.promote", vec![(Cell::accepts(0, 0), 1)], &["fence-back-0"]),
    ];
    let mut scenario = scenario(GoalKind::Drill, steps);
    let late = Fault::late_apply(Duration::from_millis(27_773));
    let rule = FaultRule::new(late).on("sim:PromoteStore").times(4);
    scenario.troubles = vec![Trouble::Calls { rule, from: Duration::ZERO }];
    scenario.wishes = vec![(Duration::from_secs(6), Wish::Skip("promote-0".to_owned()))];
    let run = Simulated::of(&time, scenario, None).unwrap();
    assert_eq!(run.state(), Some(RunState::Dirty), "{}", run.story());
    kept(run, &time);
}

/// Seed 8012424: the store's wall went back four hours under an engine that then died; nobody could take its lease before the
/// wall was there again, and the judge had waited for three.
#[test]
fn a_lease_lasts_as_much_longer_as_its_store_s_wall_goes_back() {
    let time = VirtualTime::new().unwrap();
    let steps = vec![
        step("fence-0", "sim.fence", vec![(Cell::accepts(0, 0), 0)], &[]),
        step("promote-0", "sim.promote", vec![(Cell::accepts(0, 1), 1)], &["fence-0"]),
    ];
    let mut scenario = scenario(GoalKind::Failover, steps);
    scenario.deadline = Duration::from_hours(12);
    scenario.engines = vec![EngineScript { restarts: 0, ..engine(0) }];
    scenario.troubles = vec![Trouble::Crash { engine: 0, at: Duration::from_millis(1_000) }];
    for hours in 1..=4 {
        let at = Duration::from_millis(300 + hours);
        scenario.troubles.push(Trouble::Wall { engine: None, at, by_ms: -3_600_000 });
    }
    let run = Simulated::of(&time, scenario, None).unwrap();
    assert_eq!(run.state(), Some(RunState::Completed), "{}", run.story());
    kept(run, &time);
}

/// Seed 9284551: a promotion that nobody knew of any more arrived while the way back fenced the same store. Whoever went on waited
/// until the fence's time was up, passed it over by the plan's rule, and named it; the whole run was lucky.
#[test]
fn a_step_that_a_late_call_undoes_while_it_is_at_work_is_named() {
    let time = VirtualTime::new().unwrap();
    for ms in (5_500..5_800).step_by(20) {
        let mut fence_back = step("fence-back-0", "sim.fence", vec![(Cell::accepts(0, 1), 0)], &["promote-0"]);
        fence_back.ungraceful = Some(Ungraceful::Skip);
        let steps = vec![
            step("fence-0", "sim.fence", vec![(Cell::accepts(0, 0), 0)], &[]),
            step("promote-0", "sim.promote", vec![(Cell::accepts(0, 1), 1)], &["fence-0"]),
            fence_back,
            step("promote-back-0", "sim.promote", vec![(Cell::accepts(0, 0), 1)], &["fence-back-0"]),
        ];
        let mut scenario = Scenario { seed: ms, ..scenario(GoalKind::Drill, steps) };
        let rule = FaultRule::new(Fault::late_apply(Duration::from_millis(ms))).on("sim:PromoteStore").times(1);
        scenario.troubles = vec![Trouble::Calls { rule, from: Duration::ZERO }];
        plays(&time, scenario);
    }
}
