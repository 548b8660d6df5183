use std::io::Write as _;

use dr_core::event::{Event, EventKind, EventSink};
use serde_json::json;

/// Tells what happens on standard output, a line an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Teller {
    pub(crate) json: bool,
}

impl EventSink for Teller {
    fn emit(&self, event: &Event) {
        let line = if self.json { Some(json!(event).to_string()) } else { words(event) };
        if let Some(line) = line {
            // Whoever read this is gone: nobody reads, which is no reason to stop.
            let mut out = std::io::stdout().lock();
            let _ = writeln!(out, "{line}");
            let _ = out.flush();
        }
    }
}

/// A line for a person; none for what only fills the screen.
fn words(event: &Event) -> Option<String> {
    let what = match &event.kind {
        EventKind::Verdict { why, .. } => format!("verdict: {why}"),
        EventKind::Said { who, message } => format!("{who}: {message}{}", hint(message)),
        EventKind::RunStarted { goal, steps, resumed, .. } => {
            format!("{}: {goal}, {steps} steps", if *resumed { "taken up" } else { "begun" })
        }
        EventKind::StepStarted { step, title, .. } => format!("{step}: {title}"),
        EventKind::StepCompleted { step, already: true, .. } => format!("{step}: was done already"),
        EventKind::StepCompleted { step, took, .. } => format!("{step}: done after {:.1} s", took.as_secs_f64()),
        EventKind::StepFailed { step, attempt, failure, .. } => format!("{step}: attempt {attempt} failed: {failure}"),
        EventKind::StepSkipped { step, reason } => format!("{step}: passed over: {reason}"),
        EventKind::StepCompensated { step } => format!("{step}: taken back"),
        EventKind::ApprovalRequested { step, question } => format!("{step}: waits for approval: {question}"),
        EventKind::RunPaused { reason } => format!("paused: {reason}"),
        EventKind::RunHeld { reason } => format!("held: {reason}"),
        EventKind::RunEnded { summary, .. } => format!("ended: {summary}"),
        _ => return None,
    };
    Some(match &event.run {
        Some(run) => format!("{}  {run}  {what}", event.at),
        None => format!("{}  {what}", event.at),
    })
}

/// What to type where somebody is asked.
fn hint(message: &str) -> &'static str {
    if message.starts_with("ask: ") {
        " (`runs yes` or `runs no`)"
    } else if message.contains("somebody") && message.contains("waiting for approval") {
        " (`runs approve` or `runs reject`)"
    } else if message.contains("somebody") && message.contains("paused by failure") {
        " (`runs retry`, `runs skip` or `runs cancel`)"
    } else {
        ""
    }
}
