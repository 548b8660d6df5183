use serde::{Deserialize, Serialize};

use super::Decision;
use crate::{
    model::{ApplicationId, OwnerId, RunId},
    plan::Goal,
};

/// One thing that an application's decision log says.
///
/// Kept in the journal as [`Entry::Decision`](crate::journal::Entry::Decision), by the rules of the journal's format: a field's
/// name or meaning never changes. That goes for what a decision holds of detection, [`Why`](crate::detect::Why) and all in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LogEntry {
    /// The log exists. Always its first record.
    Opened {
        /// The application decided about.
        application: ApplicationId,
        /// The program that began it.
        by: OwnerId,
    },
    /// The decision is another than before.
    Changed {
        /// The decision.
        decision: Decision,
        /// For a decision to act: the name of the run that will be created. Whoever finds this record and no such run creates
        /// it under this name, so that there is never a second.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        run: Option<RunId>,
        /// The program that decided.
        by: OwnerId,
    },
    /// No run came of a decision to act.
    NotStarted {
        /// The run that was to be.
        run: RunId,
        /// Why.
        why: String,
    },
    /// Somebody started a run by hand, past the policy.
    ByHand {
        /// The run.
        run: RunId,
        /// What it is for.
        goal: Goal,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody answered the question that stands.
    Answered {
        /// Whether to act.
        yes: bool,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody lets failovers start by themselves again, before the block period after this run is over.
    Acknowledged {
        /// The run.
        run: RunId,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody threw the kill switch.
    KillSwitch {
        /// Whether it keeps everything from starting from now on.
        on: bool,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// The standby is about to be warmed.
    Prewarming {
        /// The run that does it, and waits for the verdict.
        run: RunId,
        /// What it prepares for.
        goal: Goal,
        /// Why, in a sentence.
        why: String,
    },
    /// What is to become of the warm standby.
    PrewarmOver {
        /// The run that warmed it.
        run: RunId,
        /// Whether it is kept, for a failover that needs it now; otherwise it is taken back.
        kept: bool,
        /// Why, in a sentence.
        why: String,
    },
}
