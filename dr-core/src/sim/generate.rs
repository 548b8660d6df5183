//! From a seed to a scenario: a plan, the engines that run it, what goes wrong, and what people do.

use std::time::Duration;

use super::{
    cell::Cell,
    dice::Dice,
    scenario::{Closing, EngineScript, Outage, Phase, Scenario, StepScript, Trouble, Wish},
};
use crate::{
    model::{Plane, RegionId},
    plan::{GoalKind, Mode, Ungraceful},
    testing::{Fault, FaultRule},
};

const SECOND: u64 = 1_000;

/// The scenario of a seed.
pub(crate) fn scenario(seed: u64) -> Scenario {
    let mut dice = Dice::new(seed);
    let goal = dice.pick(
        &[GoalKind::Failover, GoalKind::Failover, GoalKind::Switchover, GoalKind::Drill, GoalKind::Rehearsal],
        GoalKind::Failover,
    );
    let mode = if goal == GoalKind::Switchover || dice.chance(30) { Mode::Graceful } else { Mode::Ungraceful };
    let to = if dice.chance(75) { 1 } else { 2 };
    let sensible = dice.chance(80);
    let steps = if sensible { sensible_plan(&mut dice, goal, mode, to) } else { odd_plan(&mut dice) };
    let engines = engines(&mut dice);
    let span = dice.between(20, 90) * SECOND;
    let wishes = wishes(&mut dice, &steps, span);
    let alone = engines.len() == 1 && wishes.is_empty();
    let troubles = troubles(&mut dice, &steps, engines.len() as u64, alone, span);
    let deadline = Duration::from_secs(if dice.chance(8) { dice.between(20, 200) } else { 3_600 });
    let heals = Duration::from_millis(span + dice.between(5, 60) * SECOND);
    let closing = if dice.chance(65) { Closing::Skip } else { Closing::Cancel };
    Scenario { seed, goal, mode, to, sensible, steps, deadline, engines, troubles, wishes, heals, closing }
}

/// A plan under construction.
struct Draft<'d> {
    dice: &'d mut Dice,
    steps: Vec<StepScript>,
}

impl Draft<'_> {
    fn add(
        &mut self,
        id: &str,
        kind: &'static str,
        sets: Vec<(Cell, i64)>,
        region: u8,
        after: &[&str],
    ) -> &mut StepScript {
        let slow = if kind == "sim.scale" || kind == "sim.promote" { 15 } else { 3 };
        let takes_ms = if self.dice.chance(30) { 0 } else { self.dice.below(slow * SECOND) };
        let step = StepScript {
            id: id.to_owned(),
            kind,
            several: sets.len() > 1 && kind != "sim.switchover" && self.dice.chance(70),
            sets,
            region,
            takes_ms,
            after: after.iter().filter(|id| !id.is_empty()).map(|id| (*id).to_owned()).collect(),
            gate: false,
            timeout: Duration::from_secs(self.dice.between(20, 90)),
            attempts: u32::try_from(self.dice.between(1, 4)).unwrap_or(1),
            undoes: None,
            ungraceful: match self.dice.below(10) {
                0 if kind == "sim.scale" || kind == "sim.fence" => Some(Ungraceful::Skip),
                1 => Some(Ungraceful::Force),
                _ => None,
            },
        };
        self.steps.push(step);
        let at = self.steps.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the step that was just pushed")]
        &mut self.steps[at]
    }
}

fn sensible_plan(dice: &mut Dice, goal: GoalKind, mode: Mode, to: u8) -> Vec<StepScript> {
    let stores = u8::try_from(dice.between(1, 3)).unwrap_or(1);
    let gate = dice.chance(50);
    let freeze = dice.chance(60);
    let mut draft = Draft { dice, steps: Vec::new() };
    let mut first = "";
    if freeze {
        let mut cells = vec![(Cell::frozen(0), 1), (Cell::frozen(to), 1)];
        if draft.dice.chance(30) {
            cells.push((Cell::frozen(3 - to), 1));
        }
        draft.add("freeze", "sim.freeze", cells, to, &[]);
        first = "freeze";
    }
    let replicas = i64::try_from(draft.dice.between(8, 12)).unwrap_or(10);
    draft.add("scale", "sim.scale", vec![(Cell::capacity(to), replicas)], to, &[]);
    if goal == GoalKind::Rehearsal {
        draft.add("ready", "sim.check", vec![(Cell::capacity(to), replicas)], to, &["scale"]);
        draft.add("scale-back", "sim.restore", vec![(Cell::capacity(to), 0)], to, &["ready"]).undoes =
            Some("scale".to_owned());
        if freeze {
            let cells = draft.steps.first().map(|step| step.sets.clone()).unwrap_or_default();
            draft.add("thaw", "sim.restore", cells, to, &["ready"]).undoes = Some("freeze".to_owned());
        }
        return draft.steps;
    }
    let mut promoted = Vec::new();
    for store in 0..stores {
        let (fence, promote) = (format!("fence-{store}"), format!("promote-{store}"));
        let (off, on) = ((Cell::accepts(store, 0), 0), (Cell::accepts(store, to), 1));
        if mode == Mode::Graceful && draft.dice.chance(60) {
            draft.add(&promote, "sim.switchover", vec![off, on], to, &[first]).gate = gate;
        } else {
            draft.add(&fence, "sim.fence", vec![off], 0, &[first]);
            draft.add(&promote, "sim.promote", vec![on], to, &[&fence]).gate = gate;
        }
        promoted.push(promote);
    }
    draft.add("ready", "sim.check", vec![(Cell::capacity(to), replicas)], to, &["scale"]);
    let mut before: Vec<&str> = promoted.iter().map(String::as_str).collect();
    before.push("ready");
    draft.add("shift", "sim.shift", vec![(Cell::TRAFFIC, i64::from(to))], to, &before);
    draft.add("confirm", "sim.check", vec![(Cell::TRAFFIC, i64::from(to))], to, &["shift"]);
    if goal != GoalKind::Drill {
        draft.add("latch", "sim.latch", vec![(Cell::LATCH, 1)], to, &["confirm"]);
        return draft.steps;
    }
    // The way back: writers first, traffic after them, and what was scaled last.
    let mut returned = Vec::new();
    for store in 0..stores {
        let (fence, promote) = (format!("fence-back-{store}"), format!("promote-back-{store}"));
        draft.add(&fence, "sim.fence", vec![(Cell::accepts(store, to), 0)], to, &["confirm"]);
        draft.add(&promote, "sim.promote", vec![(Cell::accepts(store, 0), 1)], 0, &[&fence]);
        returned.push(promote);
    }
    let before: Vec<&str> = returned.iter().map(String::as_str).collect();
    draft.add("shift-back", "sim.restore", vec![(Cell::TRAFFIC, 0)], 0, &before).undoes = Some("shift".to_owned());
    draft.add("scale-back", "sim.restore", vec![(Cell::capacity(to), 0)], to, &["shift-back"]).undoes =
        Some("scale".to_owned());
    if freeze {
        let cells = draft.steps.first().map(|step| step.sets.clone()).unwrap_or_default();
        draft.add("thaw", "sim.restore", cells, to, &["shift-back"]).undoes = Some("freeze".to_owned());
    }
    draft.steps
}

/// Any verbs, in any order: what a plan written by hand may be.
fn odd_plan(dice: &mut Dice) -> Vec<StepScript> {
    let count = dice.between(1, 10);
    let mut draft = Draft { dice, steps: Vec::new() };
    let mut free: Vec<Cell> = Cell::all().collect();
    for n in 0..count {
        if free.is_empty() {
            break;
        }
        let region = u8::try_from(draft.dice.below(3)).unwrap_or(0);
        let kind = draft.dice.pick(
            &[
                "sim.freeze",
                "sim.fence",
                "sim.promote",
                "sim.scale",
                "sim.shift",
                "sim.latch",
                "sim.freeze",
                "sim.fence",
            ],
            "sim.freeze",
        );
        // Each cell belongs to one step: two steps that pull at one thing are another plan's mistake.
        let at = usize::try_from(draft.dice.below(free.len() as u64)).unwrap_or(0);
        let mut sets = vec![(free.swap_remove(at), i64::try_from(draft.dice.between(3, 9)).unwrap_or(3))];
        if draft.dice.chance(30) && !free.is_empty() {
            let at = usize::try_from(draft.dice.below(free.len() as u64)).unwrap_or(0);
            sets.push((free.swap_remove(at), i64::try_from(draft.dice.between(3, 9)).unwrap_or(3)));
        }
        let earlier: Vec<String> = draft.steps.iter().map(|step| step.id.clone()).collect();
        let after: Vec<String> = earlier.into_iter().filter(|_| draft.dice.chance(25)).collect();
        let after: Vec<&str> = after.iter().map(String::as_str).collect();
        let gate = draft.dice.chance(15);
        draft.add(&format!("s{n}"), kind, sets, region, &after).gate = gate;
    }
    draft.steps
}

fn engines(dice: &mut Dice) -> Vec<EngineScript> {
    let count = dice.pick(&[1, 1, 1, 2, 2, 3], 1);
    let one = |dice: &mut Dice, start: u64| EngineScript {
        start: Duration::from_millis(start),
        lease: Duration::from_secs(dice.pick(&[9, 15, 30], 15)),
        patience: Duration::from_secs(dice.pick(&[0, 0, 20, 60], 0)),
        waits: dice.chance(60),
        approves: dice.chance(60),
        restart_after: Duration::from_millis(dice.between(200, 20 * SECOND)),
        restarts: u16::try_from(dice.below(5)).unwrap_or(0),
    };
    let mut engines = vec![one(dice, 0)];
    for _ in 1..count {
        let start = dice.below(30 * SECOND);
        engines.push(one(dice, start));
    }
    engines
}

const OPERATIONS: [&str; 12] = [
    "sim:*",
    "sim:Describe*",
    "sim:Set*",
    "sim:PromoteStore",
    "sim:PromoteStore",
    "sim:FenceStore",
    "sim:ScaleWorkload",
    "sim:SetTraffic",
    "sim:Restore",
    "sim:SwitchoverStore",
    "sim:Probe",
    "sim:Get*",
];

fn fault(dice: &mut Dice) -> Fault {
    match dice.below(9) {
        0 => Fault::Refuse,
        1 => Fault::BlackHole,
        2 => Fault::Slow { delay_ms: dice.between(200, 30 * SECOND) },
        3 => Fault::Throttle,
        4 => Fault::ServerError,
        5 | 6 => Fault::ReplyLost,
        7 => Fault::LateApply { delay_ms: dice.between(500, 50 * SECOND) },
        _ => Fault::StaleRead { age_ms: dice.between(500, 20 * SECOND) },
    }
}

fn troubles(dice: &mut Dice, steps: &[StepScript], engines: u64, alone: bool, span: u64) -> Vec<Trouble> {
    // Most seeds have a few troubles, some have none, some have a very bad day.
    let count = match dice.below(10) {
        0 => 0,
        1..=6 => dice.between(1, 3),
        7 | 8 => dice.between(3, 6),
        _ => dice.between(6, 12),
    };
    (0..count).map(|_| trouble(dice, steps, engines, alone, span)).collect()
}

fn trouble(dice: &mut Dice, steps: &[StepScript], engines: u64, alone: bool, span: u64) -> Trouble {
    let from_ms = dice.below(span);
    let (from, until) =
        (Duration::from_millis(from_ms), Duration::from_millis(from_ms + dice.between(500, 45 * SECOND)));
    let engine = u8::try_from(dice.below(engines)).unwrap_or(0);
    let nth = u32::try_from(dice.between(1, 25)).unwrap_or(1);
    match dice.below(24) {
        0..=2 => {
            let plane = if dice.chance(60) { dice.pick(&Plane::ALL.map(Some), None) } else { None };
            let fault =
                dice.pick(&[Fault::BlackHole, Fault::BlackHole, Fault::Refuse, Fault::ServerError], Fault::BlackHole);
            Trouble::Region { region: u8::try_from(dice.below(3)).unwrap_or(0), plane, fault, from, until }
        }
        3..=9 => {
            let mut rule = FaultRule::new(fault(dice)).on(dice.pick(&OPERATIONS, "sim:*"));
            rule = rule
                .after(u32::try_from(dice.below(4)).unwrap_or(0))
                .times(u32::try_from(dice.between(1, 4)).unwrap_or(1));
            if dice.chance(20) {
                rule.region = RegionId::new(dice.pick(&super::cell::REGIONS, "us-east-1")).ok();
            }
            Trouble::Calls { rule, from: if dice.chance(50) { Duration::ZERO } else { from } }
        }
        10 | 11 => Trouble::Crash { engine, at: from },
        12..=14 => {
            let phase = dice.pick(&[Phase::Before, Phase::Written, Phase::Told], Phase::Written);
            Trouble::CrashAtAppend { engine, nth, phase }
        }
        15 | 16 => Trouble::CrashAtCall { engine, nth, sent: dice.chance(70) },
        17 => Trouble::Suspend { engine, from, until, counted: true },
        18 => {
            let by_ms = if dice.chance(50) { 3_600_000 } else { -3_600_000 };
            // A store whose wall jumps forward gives a lease away while its holder counts on it, which no holder can know:
            // only where nobody else is there to take it.
            let store = dice.chance(30) && (by_ms < 0 || alone);
            Trouble::Wall { engine: (!store).then_some(engine), at: from, by_ms }
        }
        19 | 20 => {
            let how = dice.pick(&[Outage::Refuses, Outage::Hangs, Outage::ReplyLost], Outage::Refuses);
            Trouble::Store { how, from, until }
        }
        21 => Trouble::LateAppend { engine, nth, by: Duration::from_millis(dice.between(100, 40 * SECOND)) },
        22 => Trouble::AppendTwice { engine, nth, by: Duration::from_millis(dice.between(1, 20 * SECOND)) },
        _ => {
            let step = usize::try_from(dice.below(steps.len() as u64)).unwrap_or(0);
            Trouble::Blocked { step: steps.get(step).map(|step| step.id.clone()).unwrap_or_default(), from, until }
        }
    }
}

fn wishes(dice: &mut Dice, steps: &[StepScript], span: u64) -> Vec<(Duration, Wish)> {
    let count = if dice.chance(50) { 0 } else { dice.between(1, 4) };
    let mut wishes: Vec<(Duration, Wish)> = (0..count)
        .map(|_| {
            let step = usize::try_from(dice.below(steps.len() as u64)).unwrap_or(0);
            let step = steps.get(step).map(|step| step.id.clone()).unwrap_or_default();
            let wish = match dice.below(14) {
                0 | 1 => Wish::Pause,
                2 | 3 => Wish::Resume,
                4 | 5 => Wish::Retry(step),
                6 => Wish::Skip(step),
                7 | 8 => Wish::Cancel { compensate: dice.chance(80) },
                9 | 10 => Wish::Approve,
                11 => Wish::Reject,
                12 => Wish::Ungraceful(Some(step)),
                _ => Wish::Ungraceful(None),
            };
            let wish = if dice.chance(35) { Wish::ThroughInbox(Box::new(wish)) } else { wish };
            (Duration::from_millis(dice.below(span)), wish)
        })
        .collect();
    wishes.sort_by_key(|(at, _)| *at);
    wishes
}
