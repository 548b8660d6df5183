//! How a run ended, as Python reads it.

use std::time::Duration;

use dr_core::{
    engine::{RunView, StepState},
    planner,
};
use pyo3::prelude::*;

/// How one step of a run ended.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct StepOutcome {
    /// The step.
    id: String,
    /// `done`, `failed`, `skipped`, `compensated`, `pending`, ….
    state: String,
    /// Attempts begun.
    attempts: u32,
    /// From the first attempt's start to the last one's end.
    took: Option<Duration>,
    /// Why it failed or was skipped.
    why: Option<String>,
}

#[pymethods]
impl StepOutcome {
    fn __repr__(&self) -> String {
        format!("<dr.StepOutcome {} {}>", self.id, self.state)
    }
}

/// How a run ended, or why it waits.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Outcome {
    /// The run's name, by which it can be resumed.
    run: String,
    /// `completed`, `failed`, `cancelled`, `timed out`, `dirty`, `paused by failure`, `waiting for approval`, `held`, ….
    state: String,
    /// Whether the plan's purpose was reached.
    success: bool,
    /// In a sentence.
    summary: String,
    /// Every step, in the plan's order.
    pub(crate) steps: Vec<StepOutcome>,
}

impl From<&RunView> for Outcome {
    fn from(view: &RunView) -> Self {
        let state = view.state();
        Self {
            run: view.run().to_string(),
            state: state.as_str().to_owned(),
            success: state.is_success(),
            summary: summary(view),
            steps: view
                .steps()
                .map(|(step, seen)| StepOutcome {
                    id: step.id.to_string(),
                    state: seen.state.as_str().to_owned(),
                    attempts: seen.attempts,
                    took: seen.started.zip(seen.ended).map(|(started, ended)| ended.since(started)),
                    why: why(&seen.state),
                })
                .collect(),
        }
    }
}

fn summary(view: &RunView) -> String {
    if let Some((_, summary)) = view.ended() {
        return summary.to_owned();
    }
    if let Some(held) = view.held() {
        return held.to_owned();
    }
    let failed: Vec<String> = view
        .failed_for_good()
        .map(|(step, seen)| format!("{}: {}", step.id, why(&seen.state).unwrap_or_default()))
        .collect();
    if failed.is_empty() { view.state().as_str().to_owned() } else { failed.join("; ") }
}

fn why(state: &StepState) -> Option<String> {
    match state {
        StepState::Failed { failure } | StepState::CompensationFailed { failure } => Some(failure.to_string()),
        StepState::Skipped { reason } | StepState::LeftStanding { reason } => Some(reason.clone()),
        _ => None,
    }
}

#[pymethods]
impl Outcome {
    fn __repr__(&self) -> String {
        format!("<dr.Outcome {} {}: {}>", self.run, self.state, self.summary)
    }
}

/// What stood before a run changed it: what a failback puts back.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct BeforeImages(pub(crate) planner::BeforeImages);

#[pymethods]
impl BeforeImages {
    /// The steps that changed something, in the order they did so.
    #[getter]
    fn steps(&self) -> Vec<String> {
        self.0.0.iter().map(|image| image.step.to_string()).collect()
    }

    fn __len__(&self) -> usize {
        self.0.0.len()
    }

    fn __repr__(&self) -> String {
        format!("<dr.BeforeImages of {} steps>", self.0.0.len())
    }
}
