//! What must be durable, settled or open before a call that changes something.

use std::collections::{BTreeMap, BTreeSet};

use super::{Evidence, Invariant, Violation};
use crate::{
    journal::{Decision, Entry, Outcome, Record, Seq},
    sim::history::{Answer, Call, Role, What, Who},
    step::Reversibility,
};

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    blind_repetition(evidence, found);
    let mut turns = BTreeSet::new();
    let mut known = Known::after(evidence.since);
    for (n, (at, what)) in evidence.history.iter().enumerate() {
        known.take(n, what);
        let What::Called(call) = what else { continue };
        if !call.writes {
            continue;
        }
        let mut tell = |invariant, what| found.push(Violation { invariant, at: *at, what });
        let name = evidence.step_name(call.step);
        let durable = durable(evidence, call);
        if !durable.iter().any(|record| intends(record, call, name)) {
            tell(Invariant::IntentFirst, format!("{} changes the world for {name} without a durable intent", call.who));
        }
        if call.role != Role::Execute {
            continue;
        }
        let Some(planned) = evidence.view.plan().step(name) else { continue };
        for before in &planned.after {
            let settled = durable.iter().any(|record| match &record.entry {
                Entry::StepOutcome { step, outcome, .. } => {
                    step == before && matches!(outcome, Outcome::Done { .. } | Outcome::Skipped { .. })
                }
                _ => false,
            });
            if !settled {
                tell(Invariant::EdgesHold, format!("{name} acts before {before} is settled"));
            }
        }
        let opened = durable
            .iter()
            .any(|record| matches!(&record.entry, Entry::ApprovalDecided { decision: Decision::Approve, .. }));
        if planned.gate.is_some() && !opened {
            tell(Invariant::GatesHold, format!("{name} acts, and nobody has opened its gate"));
        }
        let first = turns.insert(call.turn);
        // What is durable and not yet acknowledged is known to nobody: not to the engine, not to whoever asked for it. And a
        // verb that had begun by then is at work, also when its first call has not left yet.
        let known_to = known.to(call.who, call.begun);
        let unwinding = durable.iter().take_while(|record| record.seq.0 <= known_to).find(|record| {
            matches!(
                &record.entry,
                Entry::CancelRequested { .. } | Entry::ApprovalDecided { decision: Decision::Reject, .. }
            )
        });
        // A verb that was at work when somebody ended the run is given a moment to end by itself.
        if let Some(unwinding) = unwinding.filter(|_| first) {
            tell(
                Invariant::NoStepWhileUnwinding,
                format!("{name} acts although record {} has ended the run", unwinding.seq),
            );
        }
    }
}

/// How far each engine knows the journal: what it read when it took the run up, and what it was told since.
struct Known {
    written: u64,
    /// How far, and from which event on.
    by: BTreeMap<Who, Vec<(usize, u64)>>,
}

impl Known {
    /// Of a story that goes on after so many records.
    fn after(since: Seq) -> Self {
        Self { written: since.0, by: BTreeMap::new() }
    }

    fn take(&mut self, n: usize, what: &What) {
        match what {
            What::Written { last, .. } => self.written = self.written.max(*last),
            What::Acquired { who, .. } => {
                self.by.entry(*who).or_default().push((n, self.written));
            }
            What::Acknowledged { who, last } => {
                self.by.entry(*who).or_default().push((n, *last));
            }
            _ => {}
        }
    }

    /// How far an engine knew it when so much had happened.
    fn to(&self, who: Who, begun: usize) -> u64 {
        let known = self.by.get(&who).and_then(|known| known.iter().rev().find(|(n, _)| *n < begun));
        known.map_or(0, |(_, last)| *last)
    }
}

/// The records that were durable when a call was made.
fn durable<'a>(evidence: &Evidence<'a>, call: &Call) -> &'a [Record] {
    let count = usize::try_from(call.durable).unwrap_or(0).min(evidence.records.len());
    evidence.records.get(..count).unwrap_or_default()
}

fn intends(record: &Record, call: &Call, name: &str) -> bool {
    match &record.entry {
        Entry::StepIntent(intent) => {
            call.role == Role::Execute
                && intent.step == name
                && intent.attempt == call.attempt
                && record.epoch.0 == call.epoch
        }
        Entry::CompensationIntent { step, attempt } => {
            call.role == Role::Compensate && *step == name && *attempt == call.attempt && record.epoch.0 == call.epoch
        }
        _ => false,
    }
}

/// What is known of the calls of one step that go forward.
#[derive(Default)]
struct Made {
    /// The last invocation that asked for a change.
    turn: Option<u32>,
    /// Who has looked since, and seen that the effect is not there.
    seen: Vec<Who>,
}

fn blind_repetition(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let mut steps: BTreeMap<u16, Made> = BTreeMap::new();
    // When each look began, as the number of changes asked for until then.
    let mut looks: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for (at, what) in evidence.history {
        match what {
            What::Called(call) if call.writes && call.role == Role::Execute => {
                let made = steps.entry(call.step).or_default();
                if made.turn == Some(call.turn) {
                    continue; // one of several calls of one invocation
                }
                let name = evidence.step_name(call.step);
                if !made.seen.contains(&call.who) {
                    let again = if made.turn.is_some() { "again " } else { "" };
                    let what = format!("{} acts for {name} {again}without having looked", call.who);
                    found.push(Violation { invariant: Invariant::NoBlindRepetition, at: *at, what });
                }
                // An outcome that is durable is the end of it, whatever a look says.
                let acknowledged = durable(evidence, call).iter().any(|record| match &record.entry {
                    Entry::StepOutcome { step, outcome: Outcome::Done { .. }, .. } => *step == name,
                    _ => false,
                });
                let irreversible = evidence
                    .view
                    .plan()
                    .step(name)
                    .is_some_and(|planned| planned.reversibility == Reversibility::Irreversible);
                if acknowledged && irreversible {
                    let what = format!("{} makes {name} again, which is done", call.who);
                    found.push(Violation { invariant: Invariant::NoBlindRepetition, at: *at, what });
                }
                *made = Made { turn: Some(call.turn), seen: Vec::new() };
            }
            What::Called(call) if call.role == Role::Observe => {
                looks.insert(call.turn, steps.get(&call.step).and_then(|made| made.turn));
            }
            What::NotThere(call) => {
                let made = steps.entry(call.step).or_default();
                // A look that began before the last change was asked for says nothing of it.
                if looks.get(&call.turn).copied().flatten() == made.turn {
                    made.seen.push(call.who);
                }
            }
            What::Answered(_, Answer::Well | Answer::Badly { .. }) | What::Called(_) => {}
            _ => {}
        }
    }
}
