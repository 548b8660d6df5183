use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    error::Failure,
    journal::{Decision, RunEnd},
    model::{Epoch, RegionId, RunId, StepId},
    plan::{Phase, PlanDigest},
    time::{Monotonic, Timestamp},
};

/// Something that happened, when, and to which run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When, for people.
    pub at: Timestamp,
    /// When, for measuring, on the emitting engine's clock.
    pub monotonic: Monotonic,
    /// The run; absent for what happens outside one, such as a verdict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<RunId>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum EventKind {
    /// The judgement of a region changed.
    Verdict {
        /// The region.
        region: RegionId,
        /// The judgement before: `healthy`, `suspect`, ….
        from: String,
        /// The judgement now.
        to: String,
        /// The readings behind it, in a sentence.
        why: String,
    },
    /// An engine began the run, or took it up.
    RunStarted {
        /// What it runs.
        plan: PlanDigest,
        /// The plan's goal, in a sentence.
        goal: String,
        /// The engine's fencing token.
        epoch: Epoch,
        /// How many steps there are.
        steps: usize,
        /// Whether an earlier engine began it.
        resumed: bool,
    },
    /// An attempt began.
    StepStarted {
        /// The step.
        step: StepId,
        /// One line for a person.
        title: String,
        /// Where in the failover it belongs.
        phase: Phase,
        /// The region it acts in.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        region: Option<RegionId>,
        /// 1 for the first.
        attempt: u32,
    },
    /// A step says how far it is.
    StepProgress {
        /// The step.
        step: StepId,
        /// One line for a person.
        message: String,
    },
    /// A step is done.
    StepCompleted {
        /// The step.
        step: StepId,
        /// From the first attempt's start.
        took: Duration,
        /// Whether the effect was there already.
        already: bool,
    },
    /// An attempt failed.
    StepFailed {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// The pause before the next attempt, when there will be one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_in: Option<Duration>,
    },
    /// A step was passed over.
    StepSkipped {
        /// The step.
        step: StepId,
        /// Why.
        reason: String,
    },
    /// A step's effect was taken back.
    StepCompensated {
        /// The step.
        step: StepId,
    },
    /// Somebody switched the run, or a part of it, to ungraceful.
    ModeSwitched {
        /// The step or group; absent for the whole run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// The run waits for a decision.
    ApprovalRequested {
        /// The step before which it waits.
        step: StepId,
        /// What is asked.
        question: String,
    },
    /// Somebody decided.
    ApprovalDecided {
        /// What.
        decision: Decision,
        /// Who.
        who: String,
    },
    /// What is new of the application's health after the last step.
    Health {
        /// `watched`, `green`, `red`, `unknown`, `stayed green`.
        health: String,
        /// What was seen.
        why: String,
    },
    /// The run waits for a person.
    RunPaused {
        /// Why.
        reason: String,
    },
    /// The run goes on.
    RunResumed {
        /// Who let it.
        who: String,
    },
    /// The engine let go of the run without ending it: its lease or its journal is gone.
    RunHeld {
        /// Why.
        reason: String,
    },
    /// The run is over.
    RunEnded {
        /// How.
        end: RunEnd,
        /// In a sentence.
        summary: String,
    },
    /// A line for a person, about what is not a step: a fault was injected, clients felt it, the region is back.
    Said {
        /// Who says it: `drill`, `lab`, `detector`.
        who: String,
        /// What.
        message: String,
    },
}
