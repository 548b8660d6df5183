//! Goes on from a prefix of a journal, in the world as it was at that moment, with a fresh engine and no more trouble.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    VirtualTime,
    cell::Cell,
    invariant::{self, Evidence, Invariant, Violation},
    machine::{Host, Process},
    mutant::Mutant,
    play::{decided_by_people, staged_at},
    scenario::{EngineScript, Trouble},
    store::Sample,
};
use crate::{
    engine::{RunState, RunView},
    error::Result,
    journal::{Entry, Outcome, Record, RunEnd},
    model::StepId,
};

pub(crate) fn check(
    virtual_time: &VirtualTime,
    whole: &Evidence<'_>,
    sample: &Sample,
    mutant: Option<Mutant>,
) -> Result<Vec<Violation>> {
    let count = usize::try_from(sample.records.0).unwrap_or(0);
    let (Some(prefix), Some(suffix)) = (whole.records.get(..count), whole.records.get(count..)) else {
        return Ok(Vec::new()); // what was written is not there: another invariant says so
    };
    if suffix.is_empty() {
        return Ok(Vec::new());
    }
    let stage = staged_at(whole.scenario, sample, prefix.to_vec(), mutant)?;
    let process = Process::new(5, 0, Arc::new(Host::new(stage.time.clone())));
    let script = EngineScript {
        start: Duration::ZERO,
        lease: Duration::from_secs(15),
        patience: Duration::from_secs(60),
        waits: false,
        approves: false,
        restart_after: Duration::ZERO,
        restarts: 0,
    };
    let engine = stage.engine(&process, &script)?;
    let result: Arc<Mutex<Option<Result<RunView>>>> = Arc::default();
    let until = sample.at + whole.scenario.bound();
    let ended_in_time = virtual_time.conduct(async {
        let (slot, run) = (Arc::clone(&result), stage.run.clone());
        let task = tokio::spawn(async move {
            let ended = engine.run(&run).await;
            *slot.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        });
        let in_time = loop {
            virtual_time.idle().await;
            if task.is_finished() {
                break true;
            }
            match stage.next().filter(|next| *next < until) {
                Some(next) => stage.advance(next),
                None => break false,
            }
        };
        process.kill();
        task.abort();
        virtual_time.idle().await;
        in_time
    });
    stage.drain();
    let (history, records) = (stage.history.take(), stage.records()?);
    let view = stage.view()?;
    let evidence = Evidence {
        scenario: whole.scenario,
        history: &history,
        records: &records,
        view: &view,
        courses: &stage.world.courses(),
        initial: whole.initial,
        acknowledged: &stage.store.acknowledged(),
        since: sample.records,
        now: stage.now(),
    };
    let mut found = Vec::new();
    let prefix_of = format!("gone on with after record {} of {}", sample.records, whole.records.len());
    let mut tell = |what: String| {
        found.push(Violation {
            invariant: Invariant::EveryPrefixResumes,
            at: sample.at,
            what: format!("{prefix_of}: {what}"),
        });
    };
    let result = result.lock().unwrap_or_else(PoisonError::into_inner).take();
    match result {
        None if !ended_in_time => tell("the run does not end".to_owned()),
        None => tell("the engine fell over".to_owned()),
        Some(Err(error)) => tell(format!("the run is not taken up: {error}")),
        Some(Ok(view)) => Comparison { whole, again: &evidence, prefix, suffix }.judge(&view, &mut tell),
    }
    // A call that was overtaken before the sample is known to the whole story only.
    let overtaken = (0..Cell::COUNT).any(|cell| whole.overtaken(cell));
    found.extend(
        invariant::check(&evidence)
            .into_iter()
            .filter(|violation| {
                !overtaken
                    || !matches!(
                        violation.invariant,
                        Invariant::WorldAsItWas
                            | Invariant::OneWriter
                            | Invariant::TrafficFollowsWriters
                            | Invariant::DoneMeansThere
                    )
            })
            .map(|violation| Violation { what: format!("{prefix_of}: {}", violation.what), ..violation }),
    );
    Ok(found)
}

/// What became of a run, and what became of it when it was gone on with from one of its records.
struct Comparison<'a> {
    whole: &'a Evidence<'a>,
    again: &'a Evidence<'a>,
    prefix: &'a [Record],
    suffix: &'a [Record],
}

impl Comparison<'_> {
    fn judge(&self, view: &RunView, tell: &mut impl FnMut(String)) {
        let whole = self.whole;
        match view.state() {
            RunState::PausedByFailure | RunState::PausedByOperator | RunState::WaitingForApproval => return,
            state if state.is_end() => {}
            other => {
                let why = view.held().unwrap_or("nobody says why");
                return tell(format!("it is left {other}: {why}"));
            }
        }
        // Where no person decided what came of it, it must come to the same.
        let (Some((end, _)), Some((first, _))) = (view.ended(), whole.view.ended()) else { return };
        if decided_by_people(self.suffix) || passed_over(self.suffix) || out_of_time(whole.view) {
            return;
        }
        // Where the records end inside an attempt from which there is no way back, nobody knows whether it was made: what
        // was done before it stays, and is named.
        if view.past_return() != whole.view.past_return() && (end == first || end == RunEnd::Dirty) {
            return;
        }
        if out_of_time(view) && self.had_no_more_time(view) {
            return;
        }
        let in_doubt = self.left_in_doubt();
        if end != first && !(end == RunEnd::Dirty && self.is_dirty_with_reason(first, &in_doubt)) {
            return tell(format!("it ends {end:?}, and ended {first:?}"));
        }
        let doubtful = |cell: Cell| {
            let steps = in_doubt.iter().filter_map(|step| whole.scenario.step(step.as_str()));
            steps.flat_map(|step| &step.sets).any(|(set, _)| *set == cell)
        };
        for (cell, (first, now)) in Cell::all().zip(whole.courses.iter().zip(self.again.courses)) {
            let overtaken = whole.overtaken(cell.0) || self.again.overtaken(cell.0);
            if first.last() != now.last() && !overtaken && !doubtful(cell) {
                return tell(format!("{cell} is {}, and was {}", now.last(), first.last()));
            }
        }
    }

    /// Whether the deadline had passed, as who went on could see it: calls take longer or shorter each time, and a wall that
    /// has jumped forward has spent the deadline of whoever takes the run up next.
    fn had_no_more_time(&self, view: &RunView) -> bool {
        let jumped = self.whole.scenario.troubles.iter().any(|trouble| matches!(trouble, Trouble::Wall { .. }));
        let ended = self.again.written_at(view.seq());
        jumped || ended >= view.plan().deadline()
    }

    /// Whether what a dirty end names, and the end of the whole run does not, is in doubt where that was cancelled, or was undone by
    /// calls from before: a step at work then waits for what is not there any more, its time is up, and the plan's rule may
    /// pass over it.
    fn is_dirty_with_reason(&self, first: RunEnd, in_doubt: &BTreeSet<&StepId>) -> bool {
        let before: BTreeSet<_> = standing(self.whole.records).collect();
        let more: Vec<_> = standing(self.again.records).filter(|step| !before.contains(step)).collect();
        (first == RunEnd::Cancelled && more.iter().all(|step| in_doubt.contains(step)))
            || (!more.is_empty() && more.iter().all(|step| self.undone_by_a_late_call(step)))
    }

    /// Whether an earlier call arrived after a later one in something that `step` sets.
    fn undone_by_a_late_call(&self, step: &StepId) -> bool {
        let script = self.whole.scenario.step(step.as_str());
        script.is_some_and(|step| step.sets.iter().any(|(cell, _)| self.again.overtaken(cell.0)))
    }

    /// Steps inside whose attempt the records end, in a run that was called off and is left as it is, since that was asked for
    /// or there is no way back. Whoever goes on makes no more calls then, not even to look: what such a step did or did not
    /// do stays, and the end names it.
    fn left_in_doubt(&self) -> BTreeSet<&StepId> {
        let view = self.again.view;
        let left = view.cancel().is_some_and(|cancel| !cancel.compensate || view.past_return());
        let mut open = BTreeSet::new();
        for record in self.prefix.iter().filter(|_| left) {
            match &record.entry {
                Entry::StepIntent(intent) => {
                    open.insert(&intent.step);
                }
                Entry::StepOutcome { step, .. } => {
                    open.remove(step);
                }
                _ => {}
            }
        }
        open
    }
}

/// What the end names as left standing.
fn standing(records: &[Record]) -> impl Iterator<Item = &StepId> {
    let effects = records.iter().filter_map(|record| match &record.entry {
        Entry::EffectsLeft { effects } => Some(effects),
        _ => None,
    });
    effects.flatten().map(|effect| &effect.step)
}

/// Whether a step was passed over by the plan's own rule, because of failures that who goes on is spared.
fn passed_over(records: &[Record]) -> bool {
    records.iter().any(|record| matches!(&record.entry, Entry::StepOutcome { outcome: Outcome::Skipped { .. }, .. }))
}

/// Whether a run has ended with steps open that nobody gave up: its deadline has passed. Where that leaves a drill's effects,
/// the run ends dirty.
fn out_of_time(view: &RunView) -> bool {
    match view.ended() {
        Some((RunEnd::TimedOut, _)) => true,
        Some((RunEnd::Dirty, _)) => view.cancel().is_none() && view.steps().any(|(_, step)| !step.settled()),
        _ => false,
    }
}
