//! The sets that a view keeps from record to record are what a computation from nothing gives, whatever the records say.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;

use super::world::{Promote, TurnOn, World, builder, params, run_id, step_id};
use crate::{
    engine::{Command, RunView, StepState, StepView, backoff, decide, decide::wants},
    error::{Effect, Error, ErrorKind, Failure, Retry},
    journal::{Decision, Entry, Intent, Outcome, RunEnd, Seq},
    model::{Epoch, OwnerId},
    plan::{Inventory, Plan, PlanStep, Ungraceful},
    step::Reversibility,
    time::Timestamp,
};

const STEPS: usize = 9;

/// A plan whose every step waits for the earlier ones that its bits name; a few have a gate, or no way back.
fn plan(edges: &[u16]) -> Plan {
    let (act, promote) = (TurnOn(World::new()), Promote(World::new()));
    let mut plan = builder();
    for (at, edges) in edges.iter().enumerate() {
        let (id, params) = (format!("s{at}"), params(&format!("k{at}"), 0));
        let irreversible = edges >> 12 == 1;
        let mut draft = if irreversible { plan.step(&id, &promote, &params) } else { plan.step(&id, &act, &params) };
        for before in (0..at).filter(|before| edges >> before & 1 == 1) {
            draft = draft.after(&format!("s{before}"));
        }
        if edges >> 12 == 0 {
            draft = draft.gate("may it?");
        }
        if edges >> 13 == 1 {
            draft.ungraceful(Ungraceful::Skip);
        }
    }
    // Its members are linked by what the bits say and by nothing else.
    plan.parallel("group", &["s2", "s5"]).deadline(Duration::from_secs(60));
    plan.build().unwrap()
}

/// A record, of a step that the plan has or (the last name) has not; nothing says that an engine would write it here.
fn entry(kind: u8, step: usize, dice: u8, plan: &Plan) -> Entry {
    let step = step_id(&format!("s{step}"));
    let (who, why, attempt) = ("x".to_owned(), "y".to_owned(), u32::from(dice % 5));
    let outcome = |outcome| Entry::StepOutcome { step: step.clone(), attempt, outcome };
    match kind {
        0..=3 => Entry::StepIntent(Intent { step, attempt, before: None, params: json!(null) }),
        4..=7 => outcome(Outcome::Done { output: json!(1), already: dice.is_multiple_of(4) }),
        8..=9 => {
            let effect = if dice & 1 == 0 { Effect::NotApplied } else { Effect::Indefinite };
            let retry = if dice & 2 == 0 { Retry::Never } else { Retry::Backoff };
            let error = Error::new(ErrorKind::Unavailable, "no").with_effect(effect).with_retry(retry);
            outcome(Outcome::Failed { failure: Failure::from(error) })
        }
        10 if dice < 64 => Entry::ModeSwitched { step: (dice < 48).then_some(step), who, why },
        10 => outcome(Outcome::Skipped { reason: why }),
        11 => outcome(Outcome::Compensated),
        12 => Entry::CompensationIntent { step, attempt },
        13 => Entry::RetryRequested { step, who, why },
        14 if dice < 64 => Entry::EngineStarted { owner: OwnerId::new("next").unwrap() },
        14 if dice < 96 => Entry::CancelRequested { who, why, compensate: dice < 80 },
        14 => Entry::Paused { reason: why, step: (dice < 160).then_some(step), who: Some(who) },
        15 if dice < 128 => Entry::Resumed { who, why },
        15 if dice < 200 => {
            let decision = if dice < 190 { Decision::Approve } else { Decision::Reject };
            Entry::ApprovalDecided { plan: plan.digest().clone(), findings: None, decision, who, why }
        }
        15 if dice < 204 => Entry::RunEnded { end: RunEnd::Failed, summary: why },
        _ => Entry::ApprovalRequested { step, question: why, due: None },
    }
}

/// The names of the steps of which `wanted` is true, in the plan's order: what the sets stand for, in the words of before.
fn names(view: &RunView, wanted: impl Fn(&PlanStep, &StepView) -> bool) -> Vec<&str> {
    view.steps().filter(|(step, state)| wanted(step, state)).map(|(step, _)| step.id.as_str()).collect()
}

/// Every intent that an engine could think of, and whether `decide` asks for it.
fn check_wants(plan: &Plan, view: &RunView, now: Timestamp) {
    let commands = decide(plan, view, now);
    for (step, state) in view.steps() {
        for attempt in state.attempts..state.attempts + 3 {
            let intent = Intent { step: step.id.clone(), attempt, before: None, params: json!(null) };
            let asked = commands.iter().any(
                |command| matches!(command, Command::Start { step: s, attempt: a, .. } if *s == step.id && *a == attempt),
            );
            assert_eq!(wants(plan, view, now, &Entry::StepIntent(intent)), asked, "{}", step.id);
        }
        for attempt in state.compensations..state.compensations + 3 {
            let intent = Entry::CompensationIntent { step: step.id.clone(), attempt };
            let asked = commands.iter().any(
                |command| matches!(command, Command::Compensate { step: s, attempt: a, .. } if *s == step.id && *a == attempt),
            );
            assert_eq!(wants(plan, view, now, &intent), asked, "{}", step.id);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn what_is_kept_is_what_a_computation_from_nothing_gives(
        edges in proptest::collection::vec(any::<u16>(), STEPS),
        story in proptest::collection::vec((0..16_u8, 0..=STEPS, any::<u8>()), 0..120),
    ) {
        let plan = plan(&edges);
        let created = Entry::RunCreated {
            plan: Box::new(plan.clone()),
            inventory: Box::new(Inventory::default()),
            findings: Vec::new(),
            waivers: Vec::new(),
            unattended: None,
            by: OwnerId::new("test").unwrap(),
        };
        let mut view = RunView::new(run_id(), Seq(1), Timestamp::UNIX_EPOCH, &created).unwrap();
        for (kind, step, dice) in story {
            let entry = entry(kind, step, dice, &plan);
            view.apply(view.seq().next(), Timestamp::UNIX_EPOCH, Epoch(1), &entry);
            view.check_frontier();

            // A step lets others pass when it has settled and so has everything before it: a skip opens no shorter way.
            let mut passed = std::collections::BTreeSet::new();
            for (step, state) in view.steps() {
                if state.settled() && step.after.iter().all(|before| passed.contains(before)) {
                    passed.insert(step.id.clone());
                }
            }
            let failed = names(&view, |step, state| {
                let forward = matches!(state.state, StepState::Failed { .. }) && view.cancel().is_none();
                let back = matches!(state.state, StepState::CompensationFailed { .. });
                (forward || back) && backoff::exhausted(step, state)
            });
            prop_assert_eq!(view.failed_for_good().map(|(step, _)| step.id.as_str()).collect::<Vec<_>>(), failed);
            let ready = names(&view, |step, state| {
                use StepState::{Failed, Interrupted, Pending};
                let wanted = match state.state {
                    Pending | Interrupted => true,
                    Failed { .. } => !backoff::exhausted(step, state),
                    _ => false,
                };
                wanted && step.after.iter().all(|before| passed.contains(before))
            });
            prop_assert_eq!(view.ready().map(|(step, _)| step.id.as_str()).collect::<Vec<_>>(), ready);
            let standing = names(&view, |_, state| state.may_stand());
            prop_assert!(view.standing_last_first().map(|(step, _)| step.id.as_str()).eq(standing.into_iter().rev()));
            prop_assert_eq!(view.all_settled(), view.steps().all(|(_, state)| state.settled()));
            prop_assert_eq!(
                view.under_way(),
                view.steps().any(|(_, state)| state.state == StepState::Running)
            );
            prop_assert_eq!(
                view.past_return(),
                view.steps().any(|(step, state)| step.reversibility == Reversibility::Irreversible && state.may_stand())
            );
            for now in [0, 59_999, 60_000] {
                check_wants(&plan, &view, Timestamp::from_millis(now));
            }
        }
    }
}
