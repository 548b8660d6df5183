//! What the records say by themselves.

use std::collections::BTreeMap;

use super::{Evidence, Invariant, Violation};
use crate::{
    journal::{Entry, Outcome, verify},
    model::StepId,
    sim::{
        history::{Role, What},
        store::short,
    },
};

pub(super) fn check(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    nothing_lost(evidence, found);
    makes_sense(evidence, found);
    done_means_there(evidence, found);
}

fn nothing_lost(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    for (seq, entry) in evidence.acknowledged {
        let at = usize::try_from(seq.0).unwrap_or(0).wrapping_sub(1);
        let kept = evidence.records.get(at).is_some_and(|record| record.entry == *entry);
        if !kept {
            let what = format!("record {seq} ({}) was acknowledged and is not there", short(entry));
            found.push(Violation { invariant: Invariant::NothingLost, at: evidence.now, what });
            return;
        }
    }
}

#[expect(clippy::collapsible_match, reason = "the insertion is an act, and an arm that acts is no question")]
fn makes_sense(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    let mut tell = |seq, what| {
        found.push(Violation { invariant: Invariant::JournalMakesSense, at: evidence.written_at(seq), what });
    };
    if evidence.since.0 == 0
        && let Err(broken) = verify(evidence.records)
    {
        tell(evidence.view.seq(), broken.to_string());
    }
    let mut under_way: BTreeMap<&StepId, bool> = BTreeMap::new();
    let mut epoch = 0;
    for (at, record) in evidence.records.iter().enumerate() {
        if record.epoch.0 < epoch {
            tell(record.seq, format!("record {} has an epoch before that of the record before it", record.seq));
        }
        epoch = record.epoch.0;
        match &record.entry {
            Entry::EngineStarted { .. } => under_way.clear(),
            Entry::StepIntent(intent) => {
                if under_way.insert(&intent.step, true).is_some() {
                    tell(record.seq, format!("record {} begins {}, which is under way", record.seq, intent.step));
                }
            }
            Entry::CompensationIntent { step, .. } => {
                if under_way.insert(step, false).is_some() {
                    tell(record.seq, format!("record {} takes {step} back, which is under way", record.seq));
                }
            }
            Entry::StepOutcome { step, outcome, .. } => {
                let begun = under_way.remove(step);
                let wants = match outcome {
                    Outcome::Done { .. } => Some(true),
                    Outcome::Compensated => Some(false),
                    Outcome::Failed { .. } | Outcome::Skipped { .. } => begun,
                };
                if begun != wants {
                    tell(record.seq, format!("record {} ends what was not begun: {step}", record.seq));
                }
            }
            Entry::RunEnded { .. } if at + 1 != evidence.records.len() => {
                tell(record.seq, format!("record {} ends the run, and others follow", record.seq));
            }
            _ => {}
        }
    }
}

/// At some moment of the attempt its effect was there: the engine has looked for it with other eyes than the call's.
fn done_means_there(evidence: &Evidence<'_>, found: &mut Vec<Violation>) {
    for (at, what) in evidence.history {
        let What::Written { first, last, .. } = what else { continue };
        for seq in *first..=*last {
            let place = usize::try_from(seq).unwrap_or(0).wrapping_sub(1);
            let Some(record) = evidence.records.get(place) else { continue };
            let Entry::StepOutcome { step, outcome: Outcome::Done { .. }, .. } = &record.entry else { continue };
            let Some(script) = evidence.scenario.step(step.as_str()).filter(|script| script.undoes.is_none()) else {
                continue;
            };
            for (cell, value) in &script.sets {
                // Somebody may change it again between the proof and the record: it was there all the same.
                let Some(course) = evidence.courses.get(usize::from(cell.0)) else { continue };
                let was = course.changes().iter().any(|(from, is)| is == value && from <= at);
                let touched_again = evidence.history.iter().any(|(_, what)| {
                    matches!(what, What::Applied { cell: c, call, .. } if c == cell && (call.role == Role::Compensate))
                });
                if !was && !touched_again && !evidence.overtaken(cell.0) {
                    let what = format!("record {seq} says that {step} is done, but {cell} is {}", course.at(*at));
                    found.push(Violation { invariant: Invariant::DoneMeansThere, at: *at, what });
                }
            }
        }
    }
}
