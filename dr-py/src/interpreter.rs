//! Values in Python's own terms.

use dr_core::time::Timestamp;
use pyo3::prelude::*;
use serde_json::Value;

/// A JSON value as dicts, lists, strings and numbers.
pub(crate) fn object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (value.to_string(),))
}

/// A moment as a `datetime` in UTC.
pub(crate) fn datetime<'py>(py: Python<'py>, at: Timestamp) -> PyResult<Bound<'py, PyAny>> {
    let module = py.import("datetime")?;
    let utc = module.getattr("timezone")?.getattr("utc")?;
    module.getattr("datetime")?.call_method1("fromtimestamp", (at.as_secs_f64(), utc))
}
