use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::PlanDigest;
use crate::model::{ApplicationId, StepId};

/// How the members of a group relate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupKind {
    /// Each member begins when the one before it has ended: the checked plan holds the edges.
    Serial,
    /// The group orders nothing: members begin as soon as their own edges allow.
    Parallel,
    /// The steps of another plan, taken into this one.
    Child,
}

impl GroupKind {
    /// The name, as written in plans.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Serial => "serial",
            Self::Parallel => "parallel",
            Self::Child => "child",
        }
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Steps of a plan that people speak of, and decide on, as one.
///
/// A group does nothing of its own: how far it is follows from its members. It shares the name space of the steps, so that
/// a decision names one or the other. A step or group is a member of one group at most; groups nest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// Its name, shared with no step and no other group of the plan.
    pub id: StepId,
    /// One line for a person.
    pub title: String,
    /// How its members relate.
    pub kind: GroupKind,
    /// Its steps and groups; of a serial group, in their order.
    pub members: Vec<StepId>,
    /// From the first attempt of a member: the group's members have ended by then, or the run pauses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Duration>,
    /// The application that a child plan fails over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub application: Option<ApplicationId>,
    /// The plan that it was taken from, of a child.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanDigest>,
}
