//! What is wrong, as Python reads it.

use dr_core::{spec, validation};
use pyo3::prelude::*;
use serde_json::Value;

use crate::interpreter;

/// One thing that is wrong with a dr.yaml, with its place and what to write instead.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct SpecFinding {
    /// The file, as it was named.
    file: String,
    /// The line, from 1.
    line: usize,
    /// The column in characters, from 1.
    column: usize,
    /// Where in the document: `resources[2].spec.cluster_arns`; empty for the whole of it.
    path: String,
    /// What is wrong.
    message: String,
    /// What to write instead.
    remedy: String,
}

impl From<&spec::SpecFinding> for SpecFinding {
    fn from(finding: &spec::SpecFinding) -> Self {
        let spec::SpecFinding { file, line, column, path, message, remedy, .. } = finding.clone();
        Self { file, line, column, path, message, remedy }
    }
}

#[pymethods]
impl SpecFinding {
    fn __str__(&self) -> String {
        let Self { file, line, column, path, message, remedy } = self;
        let path = if path.is_empty() { String::new() } else { format!("{path}: ") };
        format!("{file}:{line}:{column}: {path}{message}\n  write: {remedy}")
    }

    fn __repr__(&self) -> String {
        format!("<dr.SpecFinding {}:{}:{} {}>", self.file, self.line, self.column, self.path)
    }
}

/// Something that a validation or a lint rule found.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    /// `info`, `warning` or `error`.
    #[pyo3(get)]
    severity: String,
    /// What it is about: a step, a resource, a region.
    #[pyo3(get)]
    subject: String,
    /// What found it: `E05 traffic-before-data`.
    #[pyo3(get)]
    check: String,
    /// What is so.
    #[pyo3(get)]
    message: String,
    /// What to do about it.
    #[pyo3(get)]
    remedy: String,
    evidence: Value,
    text: String,
}

impl From<&validation::Finding> for Finding {
    fn from(finding: &validation::Finding) -> Self {
        let text = finding.to_string();
        let validation::Finding { severity, subject, check, message, evidence, remedy } = finding.clone();
        Self { severity: severity.to_string(), subject, check, message, remedy, evidence, text }
    }
}

#[pymethods]
impl Finding {
    /// What was seen that says so.
    #[getter]
    fn evidence<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::object(py, &self.evidence)
    }

    fn __str__(&self) -> &str {
        &self.text
    }

    fn __repr__(&self) -> String {
        format!("<dr.Finding {} [{}] {}>", self.severity, self.check, self.subject)
    }
}
