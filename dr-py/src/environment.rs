//! The variables that a `dr.yaml` may use, and what a lab says of itself in them.

use std::{collections::BTreeMap, env, fs, path::PathBuf, sync::Arc};

use aws_credential_types::Credentials;
use dr_core::{
    error::{Effect, Error, ErrorKind},
    time::{ScaledClock, SharedClock, SystemClock, Timestamp},
};
use pyo3::{prelude::*, types::PyMapping};

use crate::raise::Trouble;

pub(crate) type Variables = BTreeMap<String, String>;

/// The variables in a file of `KEY=VALUE` lines, such as the env file of a lab.
///
/// Empty lines and those that begin with `#` are passed over, `export` before a name and quotes around a value are
/// taken off.
///
/// # Errors
///
/// `DrError` of kind `storage` when it cannot be read, `invalid` when a line is something else, with its number.
#[pyfunction]
pub(crate) fn read_env(path: PathBuf) -> Result<Variables, Trouble> {
    let shown = path.display();
    let text = fs::read_to_string(&path).map_err(|e| {
        Error::new(ErrorKind::Storage, format!("{shown} cannot be read: {e}")).with_effect(Effect::NotApplied)
    })?;
    let mut variables = Variables::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        // The line is not repeated: it may hold a secret.
        let (key, value) = line.strip_prefix("export ").unwrap_or(line).split_once('=').ok_or_else(|| {
            let message = format!("{shown}:{}: this is not a `KEY=VALUE` line", number + 1);
            Error::new(ErrorKind::Invalid, message).with_effect(Effect::NotApplied)
        })?;
        variables.insert(key.trim().to_owned(), unquoted(value.trim()).to_owned());
    }
    Ok(variables)
}

fn unquoted(value: &str) -> &str {
    let inside = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inside('"').or_else(|| inside('\'')).unwrap_or(value)
}

/// The variables given, or those of the process.
pub(crate) fn variables(given: Option<&Bound<'_, PyMapping>>) -> PyResult<Variables> {
    match given {
        Some(mapping) => {
            mapping.items()?.iter().map(|item| item.extract::<(String, String)>()).collect::<PyResult<_>>()
        }
        None => {
            let text = |(key, value): (std::ffi::OsString, std::ffi::OsString)| {
                Some((key.into_string().ok()?, value.into_string().ok()?))
            };
            Ok(env::vars_os().filter_map(text).collect())
        }
    }
}

/// The lab's clock where the variables are those of a lab, else the machine's.
pub(crate) fn clock(variables: &Variables) -> SharedClock {
    let number = |name: &str| variables.get(name).map(String::as_str);
    let anchor = number("DR_LAB_ANCHOR_MS").and_then(|ms| ms.parse().ok()).map(Timestamp::from_millis);
    let scale = number("DR_LAB_TIME_SCALE").and_then(|scale| scale.parse().ok());
    match (anchor, scale) {
        (Some(anchor), Some(scale)) => Arc::new(ScaledClock::anchored(anchor, scale)),
        _ => Arc::new(SystemClock::new()),
    }
}

/// A lab's credentials, which open nothing but a lab. None where the variables are not those of a lab: AWS's own chain
/// finds the credentials then.
pub(crate) fn lab_credentials(variables: &Variables) -> Option<Credentials> {
    variables.get("DR_LAB_ADMIN")?;
    let (id, secret) = (variables.get("AWS_ACCESS_KEY_ID")?, variables.get("AWS_SECRET_ACCESS_KEY")?);
    Some(Credentials::new(id, secret, variables.get("AWS_SESSION_TOKEN").cloned(), None, "dr-lab"))
}
