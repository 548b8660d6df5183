//! Goes on from a prefix of a journal, in the world as it was at that moment, with a fresh engine and no more trouble.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use super::{
    VirtualTime,
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
};

/// How long a run may take from there.
const BOUND: Duration = Duration::from_secs(3 * 3600);

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
            match stage.next().filter(|next| *next < sample.at + BOUND) {
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
        Some(Ok(view)) => judge(whole, &stage.world.settled(), &view, suffix, &mut tell),
    }
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
    // A call that was overtaken before the sample is known to the whole story only.
    let overtaken = (0..super::cell::Cell::COUNT).any(|cell| whole.overtaken(cell));
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

fn judge(whole: &Evidence<'_>, settled: &[i64], view: &RunView, suffix: &[Record], tell: &mut impl FnMut(String)) {
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
    if decided_by_people(suffix) || passed_over(suffix) || out_of_time(whole.view) {
        return;
    }
    // Where the records end inside an attempt from which there is no way back, nobody knows whether it was made: what was
    // done before it stays, and is named.
    if view.past_return() != whole.view.past_return() && (end == first || end == RunEnd::Dirty) {
        return;
    }
    // A wall that has jumped forward has spent the deadline of whoever takes the run up next.
    let jumped = whole.scenario.troubles.iter().any(|trouble| matches!(trouble, Trouble::Wall { .. }));
    if out_of_time(view) && jumped {
        return;
    }
    if end != first {
        return tell(format!("it ends {end:?}, and ended {first:?}"));
    }
    for (cell, (course, now)) in super::cell::Cell::all().zip(whole.courses.iter().zip(settled)) {
        if course.last() != *now && !whole.overtaken(cell.0) {
            return tell(format!("{cell} is {now}, and was {}", course.last()));
        }
    }
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
