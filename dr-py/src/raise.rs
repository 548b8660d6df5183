//! What goes wrong, as Python raises it.

use dr_core::{
    error::{Effect, Error, Failure, Retry},
    planner,
    spec::SpecErrors,
};
use pyo3::{
    create_exception,
    exceptions::{PyException, PyValueError},
    prelude::*,
    types::PyType,
};
use serde_json::Value;

use crate::finding::SpecFinding;

create_exception!(
    dr,
    DrError,
    PyException,
    "Something failed. `kind` says what, `retry` whether trying again can help, `effect` whether the world changed."
);
create_exception!(dr, SpecError, DrError, "A dr.yaml that cannot be used. `findings` are all that is wrong with it.");
create_exception!(dr, PlanError, DrError, "No plan could be made. `reasons` are pairs of a resource and why.");

/// What this crate's own functions fail with.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// Something that the world, the journal or the engine said.
    Failure(Failure),
    /// The file is wrong.
    Spec(SpecErrors),
    /// No plan could be made.
    Plan(planner::PlanError),
    /// The caller gave something that makes no sense.
    Value(String),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Failure(error.into())
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<SpecErrors> for Trouble {
    fn from(errors: SpecErrors) -> Self {
        Self::Spec(errors)
    }
}

impl From<planner::PlanError> for Trouble {
    fn from(error: planner::PlanError) -> Self {
        Self::Plan(error)
    }
}

impl From<Trouble> for PyErr {
    fn from(trouble: Trouble) -> Self {
        Python::attach(|py| trouble.into_exception(py).unwrap_or_else(|error| error))
    }
}

impl Trouble {
    fn into_exception(self, py: Python<'_>) -> PyResult<PyErr> {
        match self {
            Self::Value(message) => Ok(PyValueError::new_err(message)),
            Self::Failure(failure) => attributed(py, &py.get_type::<DrError>(), &failure, failure.to_string()),
            Self::Spec(errors) => {
                let findings: Vec<SpecFinding> = errors.findings().iter().map(SpecFinding::from).collect();
                let text = errors.to_string();
                let raised = attributed(py, &py.get_type::<SpecError>(), &Error::from(errors).into(), text)?;
                raised.value(py).setattr("findings", findings)?;
                Ok(raised)
            }
            Self::Plan(error) => {
                let text = error.to_string();
                let reasons: Vec<(String, String)> = match &error {
                    planner::PlanError::Resources(reasons) => {
                        reasons.iter().map(|(resource, why)| (resource.to_string(), why.to_string())).collect()
                    }
                    planner::PlanError::Invalid(invalid) => vec![(String::new(), invalid.to_string())],
                };
                let failure = Error::new(dr_core::error::ErrorKind::PreconditionFailed, text.clone())
                    .with_effect(Effect::NotApplied)
                    .into();
                let raised = attributed(py, &py.get_type::<PlanError>(), &failure, text)?;
                raised.value(py).setattr("reasons", reasons)?;
                Ok(raised)
            }
        }
    }
}

fn attributed(py: Python<'_>, class: &Bound<'_, PyType>, failure: &Failure, text: String) -> PyResult<PyErr> {
    let raised = PyErr::from_value(class.call1((text,))?);
    let (retry, after) = match failure.retry {
        Retry::Never => ("never", None),
        Retry::Backoff => ("backoff", None),
        Retry::After(wait) => ("after", Some(wait)),
    };
    let value = raised.value(py);
    value.setattr("kind", name(&failure.kind))?;
    value.setattr("retry", retry)?;
    value.setattr("retry_after", after)?;
    value.setattr("effect", name(&failure.effect))?;
    value.setattr("operation", failure.operation.as_ref())?;
    Ok(raised)
}

/// The word that a unit variant is written as in plans and journals.
pub(crate) fn name(word: &impl serde::Serialize) -> String {
    match serde_json::to_value(word) {
        Ok(Value::String(name)) => name,
        _ => String::new(),
    }
}
