//! What a run tells, as Python reads it.

use std::time::Duration;

use dr_core::event::{self, EventKind};
use pyo3::prelude::*;
use serde_json::Value;

use crate::{interpreter, raise::name};

/// Something that happened.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Event(event::Event);

impl From<event::Event> for Event {
    fn from(event: event::Event) -> Self {
        Self(event)
    }
}

#[pymethods]
impl Event {
    /// What happened: `step-started`, `step-completed`, `run-ended`, ….
    #[getter]
    fn kind(&self) -> String {
        match self.value().get("event") {
            Some(Value::String(kind)) => kind.clone(),
            _ => String::new(),
        }
    }

    /// When, in UTC, by the clock of the world that the run acts on.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::datetime(py, self.0.at)
    }

    /// When, from that clock's start: for measuring.
    #[getter]
    fn elapsed(&self) -> Duration {
        self.0.monotonic.since_origin()
    }

    /// The run; none for what happens outside one.
    #[getter]
    fn run(&self) -> Option<&str> {
        self.0.run.as_ref().map(|run| run.as_str())
    }

    /// The step it is about.
    #[getter]
    fn step(&self) -> Option<&str> {
        match &self.0.kind {
            EventKind::StepStarted { step, .. }
            | EventKind::StepProgress { step, .. }
            | EventKind::StepCompleted { step, .. }
            | EventKind::StepFailed { step, .. }
            | EventKind::StepSkipped { step, .. }
            | EventKind::StepCompensated { step }
            | EventKind::ApprovalRequested { step, .. } => Some(step.as_str()),
            EventKind::ModeSwitched { step, .. } => step.as_ref().map(|step| step.as_str()),
            _ => None,
        }
    }

    /// What happened, in a line for a person.
    #[getter]
    fn message(&self) -> String {
        message(&self.0.kind)
    }

    /// Everything about it, as one JSON object.
    fn json(&self) -> String {
        self.value().to_string()
    }

    fn __str__(&self) -> String {
        match self.step() {
            Some(step) => format!("{} {step}: {}", self.kind(), self.message()),
            None => format!("{}: {}", self.kind(), self.message()),
        }
    }

    fn __repr__(&self) -> String {
        format!("<dr.Event {}>", self.__str__())
    }
}

impl Event {
    fn value(&self) -> Value {
        serde_json::to_value(&self.0).unwrap_or_default()
    }
}

fn message(kind: &EventKind) -> String {
    match kind {
        EventKind::Verdict { region, from, to, why } => format!("{region} was {from} and is {to}: {why}"),
        EventKind::RunStarted { plan, goal, steps, resumed, .. } => {
            let verb = if *resumed { "takes up" } else { "begins" };
            format!("{verb} plan {}: {goal}, {steps} steps", plan.short())
        }
        EventKind::StepStarted { title, attempt: 1, .. } => title.clone(),
        EventKind::StepStarted { title, attempt, .. } => format!("{title} (attempt {attempt})"),
        EventKind::StepProgress { message, .. } | EventKind::Said { message, .. } => message.clone(),
        EventKind::StepCompleted { took, already, .. } => {
            let how = if *already { ", and was there already" } else { "" };
            format!("done after {:.1} s{how}", took.as_secs_f64())
        }
        EventKind::StepFailed { attempt, failure, retry_in, .. } => {
            let next = retry_in.map_or_else(String::new, |d| format!("; again in {:.1} s", d.as_secs_f64()));
            format!("attempt {attempt} failed: {failure}{next}")
        }
        EventKind::StepSkipped { reason, .. } => format!("passed over: {reason}"),
        EventKind::StepCompensated { .. } => "taken back".to_owned(),
        EventKind::ModeSwitched { who, why, .. } => format!("{who} switched it to ungraceful: {why}"),
        EventKind::ApprovalRequested { question, .. } => question.clone(),
        EventKind::ApprovalDecided { decision, who } => format!("{who} decided: {}", name(decision)),
        EventKind::RunPaused { reason } | EventKind::RunHeld { reason } => reason.clone(),
        EventKind::RunResumed { who } => format!("goes on, says {who}"),
        EventKind::RunEnded { summary, .. } => summary.clone(),
        // Kinds that dr-core learns later still have their words in `json`.
        other => serde_json::to_value(other).map(|value| value.to_string()).unwrap_or_default(),
    }
}
