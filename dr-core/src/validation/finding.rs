use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Needs a recorded waiver before a plan runs.
    Warning,
    /// Blocks a plan.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
        })
    }
}

/// Something that a validation or a lint rule found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// How much it matters.
    pub severity: Severity,
    /// What it is about: a step, a resource, a region.
    pub subject: String,
    /// What found it: `E05 traffic-before-data`, `aws.aurora_global/headless-target`.
    pub check: String,
    /// What is so.
    pub message: String,
    /// What was seen that says so.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub evidence: Value,
    /// What to do about it.
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}] {}: {}\n  remedy: {}", self.severity, self.check, self.subject, self.message, self.remedy)
    }
}
