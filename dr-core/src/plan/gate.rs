use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A decision that somebody must take before a step begins.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gate {
    /// What is asked, for a person.
    pub question: String,
    /// Who may approve; empty for anybody.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub approvers: Vec<String>,
    /// How long the question stands: an approval that was asked for and not given by then is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Duration>,
}

impl Gate {
    /// A question that anybody may answer, whenever they do.
    #[must_use]
    pub fn new(question: impl Into<String>) -> Self {
        Self { question: question.into(), approvers: Vec::new(), expires: None }
    }

    /// Whether somebody of this name may approve.
    #[must_use]
    pub fn may_approve(&self, who: &str) -> bool {
        self.approvers.is_empty() || self.approvers.iter().any(|approver| approver == who)
    }
}
