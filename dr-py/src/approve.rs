//! Who opens the gates of a plan: a name, or a Python function that asks somebody.

use std::sync::Arc;

use dr_core::{
    engine::{self, Approver, AskApprover, AutoApprove},
    error::{Effect, Error, ErrorKind},
    journal::Decision,
};
use pyo3::{exceptions::PyTypeError, prelude::*};

use crate::finding::Finding;

/// What somebody is asked to decide.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct ApprovalRequest {
    /// The run that waits.
    run: String,
    /// The digest of the plan; one approval opens all its gates.
    plan: String,
    /// What the plan is for, in a sentence.
    goal: String,
    /// The questions at the gates that are reached, each with its step.
    gates: Vec<(String, String)>,
    /// What lint said of the plan.
    findings: Vec<Finding>,
}

impl From<&engine::ApprovalRequest> for ApprovalRequest {
    fn from(request: &engine::ApprovalRequest) -> Self {
        let gate = |gate: &engine::GateQuestion| (gate.step.to_string(), gate.question.clone());
        Self {
            run: request.run.to_string(),
            plan: request.plan.to_string(),
            goal: request.goal.to_string(),
            gates: request.gates.iter().map(gate).collect(),
            findings: request.findings.iter().map(Finding::from).collect(),
        }
    }
}

#[pymethods]
impl ApprovalRequest {
    fn __repr__(&self) -> String {
        format!("<dr.ApprovalRequest of run {}: {}>", self.run, self.goal)
    }
}

/// A decision, with a name under it.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    /// Who decided; the journal keeps it.
    who: String,
    /// Whether the run may go on.
    approve: bool,
    /// Why.
    why: String,
}

#[pymethods]
impl Answer {
    #[new]
    #[pyo3(signature = (who, approve = true, why = ""))]
    fn new(who: String, approve: bool, why: &str) -> Self {
        Self { who, approve, why: why.to_owned() }
    }

    fn __repr__(&self) -> String {
        let verb = if self.approve { "approves" } else { "refuses" };
        format!("<dr.Answer {} {verb}>", self.who)
    }
}

impl From<&Answer> for engine::Answer {
    fn from(answer: &Answer) -> Self {
        let Answer { who, approve, why } = answer.clone();
        Self { decision: if approve { Decision::Approve } else { Decision::Reject }, who, why }
    }
}

/// The approver that `approve=` means: nobody, a name that approves everything, or a function.
///
/// # Errors
///
/// `TypeError` for anything else.
pub(crate) fn approver(approve: Option<&Bound<'_, PyAny>>) -> PyResult<Option<Arc<dyn Approver>>> {
    let Some(approve) = approve else { return Ok(None) };
    if let Ok(who) = approve.extract::<String>() {
        return Ok(Some(Arc::new(AutoApprove::new(who, "given to run() beforehand"))));
    }
    if !approve.is_callable() {
        return Err(PyTypeError::new_err("approve is a name, or a function that takes a dr.ApprovalRequest"));
    }
    let ask = Arc::new(approve.clone().unbind());
    Ok(Some(Arc::new(AskApprover::new(move |request| {
        let ask = Arc::clone(&ask);
        async move {
            // A person takes time: the question does not block a thread that runs steps.
            let answered = tokio::task::spawn_blocking(move || Python::try_attach(|py| asked(py, &ask, &request)));
            match answered.await {
                Ok(Some(answer)) => Ok(Some(answer)),
                Ok(None) => Err(Error::new(ErrorKind::Cancelled, "Python is ending").with_effect(Effect::NotApplied)),
                Err(e) => Err(Error::new(ErrorKind::Internal, e.to_string()).with_effect(Effect::NotApplied)),
            }
        }
    }))))
}

/// A function that raises, or answers something else, has not approved. To ask it again would ask for ever.
fn asked(py: Python<'_>, ask: &Py<PyAny>, request: &engine::ApprovalRequest) -> engine::Answer {
    let refuse =
        |why: String| engine::Answer { decision: Decision::Reject, who: "the approve function".to_owned(), why };
    let answer = match ask.bind(py).call1((ApprovalRequest::from(request),)) {
        Ok(answer) => answer,
        Err(error) => {
            let why = format!("it raised {error}");
            error.write_unraisable(py, Some(ask.bind(py)));
            return refuse(why);
        }
    };
    if let Ok(answer) = answer.cast::<Answer>() {
        return answer.get().into();
    }
    match answer.extract::<String>() {
        Ok(who) => engine::Answer { decision: Decision::Approve, who, why: "said so when asked".to_owned() },
        Err(_) => refuse("it gave neither a name nor a dr.Answer".to_owned()),
    }
}
