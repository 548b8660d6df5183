//! What a policy made of what was seen, as Python reads it.

use dr_core::decision;
use pyo3::prelude::*;

/// Whether to fail over, and why.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Decision(pub(crate) decision::Decision);

#[pymethods]
impl Decision {
    /// `act`, `ask` or `hold`.
    #[getter]
    fn choice(&self) -> &'static str {
        self.0.word()
    }

    /// The region that takes the writes.
    #[getter]
    fn from_(&self) -> &str {
        self.0.from.as_str()
    }

    /// The region to go to, when there is one.
    #[getter]
    fn to(&self) -> Option<&str> {
        self.0.to.as_ref().map(|region| region.as_str())
    }

    /// The whole answer to "why did you (not) fail over?": every reason, every condition, and the readings behind them.
    #[getter]
    fn why(&self) -> String {
        self.0.to_string()
    }

    /// The same in a sentence, with the first reason.
    #[getter]
    fn sentence(&self) -> String {
        self.0.sentence()
    }

    /// Everything that speaks against acting; empty unless it holds.
    #[getter]
    fn blockers(&self) -> Vec<String> {
        self.0.blockers.iter().map(ToString::to_string).collect()
    }

    /// Every condition of the policy, and whether it holds.
    #[getter]
    fn conditions(&self) -> Vec<(String, bool)> {
        self.0.conditions.iter().map(|condition| (condition.name.clone(), condition.holds)).collect()
    }

    /// Everything about it, as one JSON object.
    fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    fn __str__(&self) -> String {
        self.0.sentence()
    }

    fn __repr__(&self) -> String {
        format!("<dr.Decision {}>", self.0.sentence())
    }
}
