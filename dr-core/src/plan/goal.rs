use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::RegionId;

/// What a plan is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GoalKind {
    /// Leave a region that has failed.
    Failover,
    /// Move to another region while both are healthy, losing nothing.
    Switchover,
    /// Return to the region that was left, and restore everything that the failover changed.
    Failback,
    /// A failover for practice, with the real switch.
    Drill,
    /// A run that must not touch traffic.
    Rehearsal,
    /// The part of a failover that can be done on suspicion: taken back unless the verdict falls.
    Prewarm,
}

/// How much a plan may insist on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Both regions answer; nothing may be lost.
    Graceful,
    /// The region that is left is presumed gone; its data may be lost up to the replication lag.
    Ungraceful,
}

/// What a plan is for, from which region to which.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Goal {
    /// What the plan is for.
    pub kind: GoalKind,
    /// The region that holds traffic and writers before.
    pub from: RegionId,
    /// The region that holds them after.
    pub to: RegionId,
    /// How much the plan may insist on.
    pub mode: Mode,
}

impl Goal {
    /// The region that the plan must not need; none in a graceful plan.
    #[must_use]
    pub fn failed_region(&self) -> Option<&RegionId> {
        (self.mode == Mode::Ungraceful).then_some(&self.from)
    }
}

impl fmt::Display for GoalKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Failover => "failover",
            Self::Switchover => "switchover",
            Self::Failback => "failback",
            Self::Drill => "drill",
            Self::Rehearsal => "rehearsal",
            Self::Prewarm => "pre-warming",
        })
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Graceful => "graceful",
            Self::Ungraceful => "ungraceful",
        })
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}) from {} to {}", self.kind, self.mode, self.from, self.to)
    }
}
