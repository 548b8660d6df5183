use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    journal::{Decision, Signed},
    model::{SafetyRuleId, StepId},
    time::Timestamp,
};

/// Somebody's wish to end a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cancel {
    /// Who, and why.
    pub by: Signed,
    /// Whether to take back what was done.
    pub compensate: bool,
    /// Whether nobody wished it: a gate's question expired.
    pub expired: bool,
}

/// Somebody's answer to the plan's gates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approval {
    /// What was decided.
    pub decision: Decision,
    /// Who, and why.
    pub by: Signed,
}

/// Somebody's decision that from then on the rules for ungraceful mode hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Switch {
    /// The step or group; absent for the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<StepId>,
    /// Who, and why.
    pub by: Signed,
}

/// Why a safety rule does not let a step begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The rule.
    pub rule: SafetyRuleId,
    /// What it saw, for a person.
    pub why: String,
}

/// Something that the journal keeps beside the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Note {
    /// When, on the wall.
    pub at: Timestamp,
    /// What it is.
    pub topic: String,
    /// What it says.
    pub value: Value,
}
