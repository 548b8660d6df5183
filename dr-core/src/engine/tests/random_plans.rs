//! Laws of `decide` and of runs, on plans of every shape.

use std::{collections::BTreeMap, time::Duration};

use proptest::prelude::*;

use super::world::{Bench, Promote, TurnOn, builder, params, run_id};
use crate::{
    engine::{Command, Control, NewRun, RunState, RunView, StepState, StepView, accept, decide},
    error::{Effect, Error, ErrorKind, Failure, Retry},
    journal::{Entry, Intent, Outcome, Seq},
    model::{Epoch, OwnerId, StepId},
    plan::{Inventory, Plan, Ungraceful},
    time::{Clock as _, Timestamp},
};

/// A step: which earlier ones it waits for, how long it takes, whether it is irreversible, whether it has a gate.
#[derive(Clone, Debug)]
struct Shape {
    after: Vec<usize>,
    takes_ms: u64,
    irreversible: bool,
    gate: bool,
}

fn shapes(most: usize) -> impl Strategy<Value = Vec<Shape>> {
    proptest::collection::vec((any::<u64>(), 0..100_000_u64, any::<u8>(), any::<u8>()), 1..most).prop_map(|raw| {
        raw.iter()
            .enumerate()
            .map(|(at, (edges, takes_ms, irreversible, gate))| Shape {
                // Each earlier step with a probability of a quarter, among the last thirty-two.
                after: (0..at).rev().take(32).filter(|b| (edges >> (2 * (at - b - 1))) & 3 == 0).collect(),
                takes_ms: *takes_ms,
                irreversible: *irreversible < 20,
                gate: *gate < 40,
            })
            .collect()
    })
}

fn plan(bench: &Bench, shapes: &[Shape], plain: bool) -> Plan {
    let (act, promote) = (TurnOn(bench.world.clone()), Promote(bench.world.clone()));
    let mut plan = builder();
    plan.deadline(Duration::from_secs(1_000_000));
    for (at, shape) in shapes.iter().enumerate() {
        let (id, params) = (format!("s{at}"), params(&format!("k{at}"), shape.takes_ms));
        let mut draft = if shape.irreversible && !plain {
            plan.step(&id, &promote, &params)
        } else {
            plan.step(&id, &act, &params)
        };
        if shape.gate && !plain {
            draft = draft.gate("may it?");
        }
        if shape.takes_ms.is_multiple_of(4) && !plain {
            draft = draft.ungraceful(Ungraceful::Skip);
        }
        for before in &shape.after {
            draft = draft.after(&format!("s{before}"));
        }
    }
    let third: Vec<String> = (0..shapes.len()).step_by(3).map(|at| format!("s{at}")).collect();
    let third: Vec<&str> = third.iter().map(String::as_str).collect();
    plan.parallel("third", &third).deadline(Duration::from_secs(1_000_000));
    plan.build().unwrap()
}

/// The engine's part without an engine: applies entries as the journal would.
struct Fold {
    view: RunView,
}

impl Fold {
    fn new(plan: &Plan) -> Self {
        let created = Entry::RunCreated {
            plan: Box::new(plan.clone()),
            inventory: Box::new(Inventory::default()),
            findings: Vec::new(),
            waivers: Vec::new(),
            unattended: None,
            by: OwnerId::new("test").unwrap(),
        };
        let view = RunView::new(run_id(), Seq(1), Timestamp::UNIX_EPOCH, &created).unwrap();
        let mut fold = Self { view };
        fold.apply(&Entry::EngineStarted { owner: OwnerId::new("test").unwrap() });
        fold
    }

    fn apply(&mut self, entry: &Entry) {
        let seq = self.view.seq().next();
        self.view.apply(seq, Timestamp::UNIX_EPOCH, Epoch(1), entry);
    }

    fn begin(&mut self, step: &StepId, attempt: u32) {
        let intent = Intent { step: step.clone(), attempt, before: None, params: serde_json::json!(null) };
        self.apply(&Entry::StepIntent(intent));
    }

    fn end(&mut self, step: &StepId, outcome: Outcome) {
        let attempt = self.view.step(step.as_str()).unwrap().attempts;
        self.apply(&Entry::StepOutcome { step: step.clone(), attempt, outcome });
    }

    fn under_way(&self, state: &StepState) -> Vec<StepId> {
        self.view.steps().filter(|(_, view)| view.state == *state).map(|(step, _)| step.id.clone()).collect()
    }
}

fn done() -> Outcome {
    Outcome::Done { output: serde_json::json!("on"), already: false }
}

fn failed(dice: u8) -> Outcome {
    let effect = if dice & 1 == 0 { Effect::NotApplied } else { Effect::Indefinite };
    let retry = if dice & 2 == 0 { Retry::Never } else { Retry::Backoff };
    let error = Error::new(ErrorKind::Unavailable, "no").with_effect(effect).with_retry(retry);
    Outcome::Failed { failure: Failure::from(error) }
}

/// Checks what must be true of every decision, whatever led to it.
fn check(plan: &Plan, view: &RunView, commands: &[Command]) {
    let failed = view.failed_for_good().next().is_some();
    let ended = commands.iter().filter(|command| matches!(command, Command::End { .. })).count();
    assert!(ended == 0 || commands.len() == 1, "an end is alone: {commands:?}");
    for command in commands {
        match command {
            Command::Start { step, attempt, .. } => {
                let (planned, state) = (plan.step(step.as_str()).unwrap(), view.step(step.as_str()).unwrap());
                assert!(planned.after.iter().all(|before| view.step(before.as_str()).unwrap().settled()), "{step}");
                assert!(!matches!(state.state, StepState::Running), "{step} is under way");
                assert_eq!(*attempt, state.attempts + 1);
                assert!(planned.gate.is_none() || view.approved(), "{step} has a gate");
                assert!(!failed || state.retry_asked, "{step} begins although another has failed");
                assert!(view.cancel().is_none(), "an unwinding run makes no step");
                assert!(view.paused().is_none());
            }
            Command::Compensate { step, .. } => {
                let planned = plan.step(step.as_str()).unwrap();
                assert_eq!(planned.reversibility, crate::step::Reversibility::Reversible);
                assert!(view.step(step.as_str()).unwrap().may_stand());
                assert!(!view.past_return(), "past the point of no return");
                assert!(view.cancel().is_some());
                // Nothing that was made after it stands.
                for (later, state) in view.steps().filter(|(later, _)| later.after.contains(step)) {
                    let stands = state.may_stand() && !matches!(state.state, StepState::LeftStanding { .. });
                    assert!(!stands, "{} still stands on {step}", later.id);
                }
            }
            Command::Skip { step, attempt, .. } => {
                let state = view.step(step.as_str()).unwrap();
                assert_eq!(plan.step(step.as_str()).unwrap().ungraceful, Some(Ungraceful::Skip), "{step}");
                assert!(view.failed_for_good().any(|(failed, _)| failed.id == *step), "{step} may be tried again");
                assert_eq!(*attempt, state.attempts);
                assert!(view.cancel().is_none());
            }
            _ => {}
        }
    }
}

#[test]
fn what_an_engine_that_died_may_have_done_is_taken_back_although_later_attempts_did_nothing() {
    let bench = Bench::new();
    let shape = Shape { after: Vec::new(), takes_ms: 0, irreversible: false, gate: false };
    let plan = plan(&bench, &[shape], true);
    let step = plan.steps()[0].id.clone();
    let mut fold = Fold::new(&plan);
    fold.begin(&step, 1);
    fold.apply(&Entry::EngineStarted { owner: OwnerId::new("next").unwrap() });
    fold.begin(&step, 2);
    fold.end(&step, failed(0)); // certainly not applied, by this attempt
    assert!(fold.view.step(step.as_str()).unwrap().may_stand());
    let cancel = Control::Cancel { who: "x".to_owned(), why: "y".to_owned(), compensate: true };
    accept(&fold.view, &cancel).unwrap().iter().for_each(|entry| fold.apply(entry));
    let commands = decide(&plan, &fold.view, Timestamp::UNIX_EPOCH);
    assert!(matches!(commands.as_slice(), [Command::Compensate { .. }]), "{commands:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn every_story_keeps_the_laws_and_comes_to_an_end(
        shapes in shapes(24),
        dice in proptest::collection::vec(any::<u8>(), 400),
        cancel_at in proptest::option::of(0..60_usize),
    ) {
        let bench = Bench::new();
        let plan = plan(&bench, &shapes, false);
        let mut fold = Fold::new(&plan);
        let mut dice = dice.into_iter().chain(std::iter::repeat(255));
        let mut compensated = Vec::new();
        let mut moves = 0;
        while fold.view.ended().is_none() {
            moves += 1;
            prop_assert!(moves < 2_000, "no end in sight: {:?}", fold.view);
            let commands = decide(&plan, &fold.view, Timestamp::UNIX_EPOCH);
            prop_assert_eq!(&commands, &decide(&plan, &fold.view, Timestamp::UNIX_EPOCH));
            check(&plan, &fold.view, &commands);
            if Some(moves) == cancel_at {
                let cancel = Control::Cancel { who: "x".to_owned(), why: "y".to_owned(), compensate: true };
                accept(&fold.view, &cancel).unwrap().iter().for_each(|entry| fold.apply(entry));
                continue;
            }
            let mut stop = false;
            let mut moved = false;
            for command in commands {
                match command {
                    Command::Start { step, attempt, .. } => { fold.begin(&step, attempt); moved = true; }
                    Command::Compensate { step, attempt, .. } => {
                        compensated.push(step.clone());
                        fold.apply(&Entry::CompensationIntent { step, attempt });
                        moved = true;
                    }
                    Command::AskApproval { steps } => {
                        for step in steps {
                            fold.apply(&Entry::ApprovalRequested { step, question: String::new(), due: None });
                        }
                        moved = true;
                    }
                    Command::Pause { step, reason } => {
                        fold.apply(&Entry::Paused { reason, step: Some(step), who: None });
                        moved = true;
                    }
                    Command::Skip { step, reason, .. } => { fold.end(&step, Outcome::Skipped { reason }); moved = true; }
                    Command::StopRunning => stop = true,
                    Command::Refuse { .. } | Command::Expire { .. } | Command::Watch => unreachable!("no rule, no due, no goal"),
                    Command::End { end, summary, .. } => { fold.apply(&Entry::RunEnded { end, summary }); moved = true; }
                }
            }
            // The world answers one attempt at a time, in any order.
            let running = fold.under_way(&StepState::Running);
            let unwinding = fold.under_way(&StepState::Compensating);
            let roll = dice.next().unwrap_or(255);
            if let Some(step) = running.get(usize::from(roll) % running.len().max(1)) {
                if roll < 8 {
                    fold.apply(&Entry::EngineStarted { owner: OwnerId::new("next").unwrap() });
                } else {
                    fold.end(step, if stop || roll < 80 { failed(roll) } else { done() });
                }
            } else if let Some(step) = unwinding.first() {
                fold.end(step, if roll < 60 { failed(roll) } else { Outcome::Compensated });
            } else if !moved {
                // Nothing goes on without somebody.
                let failed = fold.view.failed_for_good().next().map(|(step, _)| step.id.clone());
                let (who, why) = ("x".to_owned(), "y".to_owned());
                let control = match failed {
                    Some(step) if roll.is_multiple_of(2) => Control::Skip { step, who, why },
                    Some(step) => Control::Retry { step, who, why },
                    None => Control::Approve { plan: plan.digest().clone(), findings: None, who, why },
                };
                let entries = accept(&fold.view, &control).unwrap();
                prop_assert!(!entries.is_empty(), "stuck: {:?}", fold.view);
                entries.iter().for_each(|entry| fold.apply(entry));
            }
        }
        let view = &fold.view;
        view.check_frontier();
        view.check_groups();
        prop_assert!(decide(&plan, view, Timestamp::UNIX_EPOCH).is_empty(), "nothing follows an end");
        if view.state().is_success() {
            prop_assert!(view.steps().all(|(_, step)| step.settled()));
            prop_assert!(compensated.is_empty());
        }
        // Taken back in the reverse of the plan's order; a step that failed may appear again, nothing before it.
        let place: BTreeMap<_, _> = plan.steps().iter().enumerate().map(|(at, step)| (step.id.clone(), at)).collect();
        prop_assert!(compensated.iter().map(|step| place[step]).rev().collect::<Vec<_>>().is_sorted());
        let stands = |(step, state): &(&crate::plan::PlanStep, &StepView)| {
            step.reversibility != crate::step::Reversibility::ReadOnly && state.may_stand()
        };
        match view.state() {
            RunState::Cancelled => prop_assert_eq!(view.steps().filter(stands).count(), 0),
            RunState::Dirty => prop_assert!(view.steps().any(|step| stands(&step))),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn a_run_in_which_nothing_fails_is_as_long_as_its_critical_path(shapes in shapes(40)) {
        let bench = Bench::new();
        let plan = plan(&bench, &shapes, true);
        let mut ends: Vec<u64> = Vec::new();
        for shape in &shapes {
            let start = shape.after.iter().map(|before| ends[*before]).max().unwrap_or(0);
            ends.push(start + shape.takes_ms);
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let view = runtime.block_on(async {
            let engine = bench.engine();
            engine.create(NewRun::new(run_id(), plan)).await.unwrap();
            bench.drive(engine.run(&run_id())).await.unwrap()
        });
        prop_assert_eq!(view.state(), RunState::Completed);
        let critical = Duration::from_millis(ends.into_iter().max().unwrap_or(0));
        prop_assert_eq!(bench.world.clock.monotonic().since_origin(), critical);
        prop_assert_eq!(bench.world.effects().len(), shapes.len());
    }
}
