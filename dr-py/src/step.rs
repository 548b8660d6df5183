//! A step of a plan, as Python reads it.

use std::time::Duration;

use dr_core::plan::PlanStep;
use pyo3::prelude::*;
use serde_json::Value;

use crate::{interpreter, raise::name};

/// One step of a plan.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Step {
    /// Its name, unique in the plan.
    #[pyo3(get)]
    id: String,
    /// The verb, such as `aws.aurora_global/promote`.
    #[pyo3(get)]
    kind: String,
    /// One line for a person.
    #[pyo3(get)]
    title: String,
    /// Where in the failover it belongs: `fence`, `promote`, `scale`, ….
    #[pyo3(get)]
    phase: String,
    /// The resource it acts on.
    #[pyo3(get)]
    resource: Option<String>,
    /// The region it acts in.
    #[pyo3(get)]
    region: Option<String>,
    /// The steps that must have ended before.
    #[pyo3(get)]
    after: Vec<String>,
    /// `read-only`, `reversible` or `irreversible`.
    #[pyo3(get)]
    reversibility: String,
    /// Each attempt ends by then.
    #[pyo3(get)]
    timeout: Duration,
    /// Half of the runs take no longer.
    #[pyo3(get)]
    p50: Duration,
    /// Nineteen of twenty runs take no longer.
    #[pyo3(get)]
    p95: Duration,
    /// What somebody is asked before it begins.
    #[pyo3(get)]
    question: Option<String>,
    /// Every remote call it may make, such as `rds:FailoverGlobalCluster`.
    #[pyo3(get)]
    calls: Vec<String>,
    params: Value,
}

impl From<&PlanStep> for Step {
    fn from(step: &PlanStep) -> Self {
        Self {
            id: step.id.to_string(),
            kind: step.kind.clone(),
            title: step.title.clone(),
            phase: step.phase.as_str().to_owned(),
            resource: step.resource.as_ref().map(ToString::to_string),
            region: step.region.as_ref().map(ToString::to_string),
            after: step.after.iter().map(ToString::to_string).collect(),
            reversibility: name(&step.reversibility),
            timeout: step.timeout,
            p50: step.estimate.p50,
            p95: step.estimate.p95,
            question: step.gate.as_ref().map(|gate| gate.question.clone()),
            calls: step.calls.iter().map(|call| call.operation.to_string()).collect(),
            params: step.params.clone(),
        }
    }
}

#[pymethods]
impl Step {
    /// What it needs to know; may refer to outputs of earlier steps.
    #[getter]
    fn params<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::object(py, &self.params)
    }

    fn __repr__(&self) -> String {
        format!("<dr.Step {} ({}): {}>", self.id, self.phase, self.title)
    }
}
