use dr_core::{
    engine::{Followed, RunState, RunSummary, RunView, StepState},
    event::EventKind,
    journal::{Seq, export_jsonl},
    model::RunId,
};
use futures::TryStreamExt as _;
use serde_json::{Value, json};

use crate::{
    exit::{Exit, Stop},
    say,
    store::Store,
};

/// Every run in a line.
pub(crate) async fn list(store: &Store, open: bool) -> Result<(), Stop> {
    let mut broken = Vec::new();
    let mut shown = Vec::new();
    for (run, summary) in store.engine.runs().await? {
        match summary {
            Ok(summary) if open && summary.state.is_end() => {}
            Ok(summary) => shown.push(summary),
            Err(error) => broken.push(format!("run {run} cannot be read: {error}")),
        }
    }
    if store.json {
        shown.iter().for_each(|summary| say(&json!(summary).to_string()));
    } else {
        table(&shown);
    }
    if broken.is_empty() { Ok(()) } else { Err(Stop::new(Exit::Failed, broken.join("; "))) }
}

fn table(shown: &[RunSummary]) {
    let longest = |of: fn(&RunSummary) -> usize| shown.iter().map(of).max().unwrap_or(0);
    let (names, states) = (longest(|s| s.run.as_str().len()), longest(|s| s.state.as_str().len()));
    for summary in shown {
        let RunSummary { run, state, settled, steps, goal, application, owner, created, why, .. } = summary;
        let owner = owner.as_ref().map_or("nobody yet", |owner| owner.as_str());
        say(&format!(
            "{run:<names$}  {state:<states$}  {settled}/{steps} steps  {application}: {goal}  created {created}, last \
             run by {owner}"
        ));
        if !why.is_empty() {
            say(&format!("{:<names$}  {why}", ""));
        }
    }
}

/// One run with its steps.
pub(crate) async fn show(store: &Store, named: Option<&RunId>) -> Result<(), Stop> {
    let run = store.run_to_look_at(named).await?;
    let view = store.view(&run).await?;
    let waiting = store.engine.journal().requests(&run, view.answered()).await?;
    // What nobody answers any more waits for nothing.
    let waiting = if view.ended().is_some() { 0 } else { waiting.len() };
    let summary = RunSummary::of(&view);
    if store.json {
        let steps: Vec<Value> = view
            .steps()
            .map(|(step, state)| {
                json!({
                    "id": step.id, "title": step.title, "phase": step.phase, "region": step.region,
                    "state": state.state.as_str(), "why": why(&state.state), "attempts": state.attempts,
                    "started": state.started, "ended": state.ended,
                })
            })
            .collect();
        let mut whole = json!(summary);
        if let Value::Object(fields) = &mut whole {
            fields.insert("step_states".to_owned(), steps.into());
            fields.insert("unanswered_requests".to_owned(), waiting.into());
            fields.insert("findings".to_owned(), json!(view.findings()));
            fields.insert("controls".to_owned(), json!(choices(&view)));
        }
        say(&whole.to_string());
        return Ok(());
    }
    table(std::slice::from_ref(&summary));
    say(&format!("plan {}", summary.plan));
    view.findings().iter().for_each(|finding| say(&format!("  {finding}")));
    for (step, state) in view.steps() {
        let attempts = if state.attempts > 1 { format!(", {} attempts", state.attempts) } else { String::new() };
        let why = why(&state.state).map(|why| format!(": {why}")).unwrap_or_default();
        say(&format!("  {:<28} {}{attempts}{why}", step.id.as_str(), state.state.as_str()));
    }
    if waiting > 0 {
        say(&format!("{waiting} request(s) in the inbox wait for an answer"));
    }
    let choices = choices(&view);
    if !choices.is_empty() {
        say(&format!("now: {}", choices.join(", ")));
    }
    Ok(())
}

fn why(state: &StepState) -> Option<String> {
    match state {
        StepState::Failed { failure } | StepState::CompensationFailed { failure } => Some(failure.to_string()),
        StepState::Skipped { reason } | StepState::LeftStanding { reason } => Some(reason.clone()),
        _ => None,
    }
}

/// What can be done with the run now, as it is typed.
fn choices(view: &RunView) -> Vec<String> {
    let failed = |verb: &str| -> Vec<String> {
        let steps = view.failed_for_good().map(|(step, _)| &step.id);
        steps.chain(view.late_groups().map(|group| &group.id)).map(|id| format!("{verb} --step {id}")).collect()
    };
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    match view.state() {
        state if state.is_end() => Vec::new(),
        RunState::WaitingForApproval => words(&["approve", "reject", "cancel"]),
        RunState::PausedByFailure => [failed("retry"), failed("skip"), words(&["cancel"])].concat(),
        RunState::PausedByOperator => words(&["resume", "cancel"]),
        RunState::Cancelling => Vec::new(),
        _ => words(&["pause", "cancel"]),
    }
}

/// What happens, as it happens.
pub(crate) async fn follow(store: &Store, named: Option<&RunId>, after: u64) -> Result<(), Stop> {
    let run = store.run_to_look_at(named).await?;
    let mut told = store.engine.follow(&run, Seq(after));
    while let Some(Followed { record, events, state }) = told.try_next().await? {
        for event in events {
            if store.json {
                say(&json!({ "seq": record.seq, "state": state, "event": event }).to_string());
            } else {
                say(&format!("{}  {:>5}  {}", event.at, record.seq.0, words(&event.kind)));
            }
        }
    }
    Ok(())
}

/// A line for a person.
fn words(kind: &EventKind) -> String {
    match kind {
        EventKind::RunStarted { goal, steps, resumed, .. } => {
            format!("{}: {goal}, {steps} steps", if *resumed { "taken up" } else { "begun" })
        }
        EventKind::StepStarted { step, title, attempt: 1, .. } => format!("{step}: {title}"),
        EventKind::StepStarted { step, title, attempt, .. } => format!("{step}: {title} (attempt {attempt})"),
        EventKind::StepProgress { step, message } => format!("{step}: {message}"),
        EventKind::StepCompleted { step, took, already } => {
            let how = if *already { ", and was there already" } else { "" };
            format!("{step}: done after {:.1} s{how}", took.as_secs_f64())
        }
        EventKind::StepFailed { step, attempt, failure, retry_in } => {
            let next = retry_in.map_or_else(String::new, |d| format!("; again in {:.1} s", d.as_secs_f64()));
            format!("{step}: attempt {attempt} failed: {failure}{next}")
        }
        EventKind::StepSkipped { step, reason } => format!("{step}: passed over: {reason}"),
        EventKind::StepCompensated { step } => format!("{step}: taken back"),
        EventKind::ApprovalRequested { step, question } => format!("{step}: waits for approval: {question}"),
        EventKind::ApprovalDecided { decision, who } => {
            format!("{who} decided: {}", json!(decision).as_str().unwrap_or("?"))
        }
        EventKind::RunPaused { reason } => format!("paused: {reason}"),
        EventKind::RunResumed { who } => format!("goes on, says {who}"),
        EventKind::RunHeld { reason } => format!("held: {reason}"),
        EventKind::RunEnded { summary, .. } => format!("ended: {summary}"),
        EventKind::Said { who, message } => format!("{who}: {message}"),
        // Kinds that dr-core learns later have their words as they are written.
        other => json!(other).to_string(),
    }
}

/// The records as lines.
pub(crate) async fn export(store: &Store, named: Option<&RunId>) -> Result<(), Stop> {
    let run = store.run_to_look_at(named).await?;
    let journal = &**store.engine.journal();
    let mut lines = export_jsonl(journal, &run);
    let mut any = false;
    while let Some(line) = lines.try_next().await? {
        any = true;
        say(line.trim_end_matches('\n'));
    }
    if any { Ok(()) } else { Err(Stop::new(Exit::Absent, format!("the journal has no run {run}"))) }
}
