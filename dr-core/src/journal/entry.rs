use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    decision::LogEntry,
    error::Failure,
    journal::RequestId,
    model::{OwnerId, RegionId, ResourceId, SafetyRuleId, StepId},
    plan::{Inventory, Plan, PlanDigest},
    spec::Waiver,
    validation::{Finding, FindingsDigest},
};

/// A decision with a name under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Who decided.
    pub who: String,
    /// Why.
    pub why: String,
}

/// That an attempt is about to be made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Intent {
    /// The step.
    pub step: StepId,
    /// 1 for the first attempt.
    pub attempt: u32,
    /// What stood before, captured on the first attempt.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// The parameters, with outputs of earlier steps filled in.
    pub params: Value,
}

/// How an attempt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The effect is there.
    Done {
        /// What the step found out.
        output: Value,
        /// Whether it was there before this attempt acted.
        already: bool,
    },
    /// The attempt failed.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// Somebody decided to go on without it.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The effect was taken back.
    Compensated,
}

/// What somebody decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Decision {
    /// Go on.
    Approve,
    /// Do not.
    Reject,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunEnd {
    /// Every step is done.
    Completed,
    /// Some steps were skipped.
    CompletedWithExceptions,
    /// It cannot go on.
    Failed,
    /// Somebody ended it.
    Cancelled,
    /// Its deadline passed.
    TimedOut,
    /// It was to leave the world as it was, and did not: the record before this one lists what stands.
    Dirty,
}

/// An effect of a run that stands at its end, though the run was to leave the world as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingEffect {
    /// The step that made it, or may have.
    pub step: StepId,
    /// The resource that it acted on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<ResourceId>,
    /// The region that it acted in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<RegionId>,
    /// Why it stands, for a person.
    pub why: String,
}

/// What is new of an application's health after the last step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum HealthNews {
    /// The steps have ended; from here on health is watched.
    Watched,
    /// It has turned green.
    Green,
    /// It has turned red.
    Red,
    /// Nobody can say.
    Unknown,
    /// It has stayed green for as long as was asked.
    Stayed {
        /// When it had turned green, from the run's creation.
        since: Duration,
    },
}

/// One thing that the journal says.
///
/// Its JSON is `{"step-intent": {..}}`: the name comes before the content, so that a reader knows what it reads and keeps
/// nothing back. What is written here is read forever: a new variant, or a new optional field, needs a golden file (the test
/// `golden` says how), and a field's name or meaning never changes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Entry {
    /// The run exists. Always the first record.
    RunCreated {
        /// Everything it will do.
        plan: Box<Plan>,
        /// The world as it was surveyed.
        inventory: Box<Inventory>,
        /// What lint said.
        findings: Vec<Finding>,
        /// The objections that somebody overruled.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        waivers: Vec<Waiver>,
        /// Who let irreversible steps run without an approval, when somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unattended: Option<Signed>,
        /// Who created it.
        by: OwnerId,
    },
    /// An engine took the run up.
    EngineStarted {
        /// Which.
        owner: OwnerId,
    },
    /// An attempt is about to be made.
    StepIntent(Intent),
    /// An attempt ended.
    StepOutcome {
        /// The step.
        step: StepId,
        /// Which attempt.
        attempt: u32,
        /// How it ended.
        outcome: Outcome,
    },
    /// An attempt to take a step's effect back is about to be made.
    CompensationIntent {
        /// The step.
        step: StepId,
        /// 1 for the first attempt to take it back.
        attempt: u32,
    },
    /// Somebody is asked.
    ApprovalRequested {
        /// The step before which the run waits.
        step: StepId,
        /// What is asked.
        question: String,
        /// When the question expires, from the run's creation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        due: Option<Duration>,
    },
    /// Nobody answered in time: the run takes back what it did, and ends.
    ApprovalExpired {
        /// The step before which the run waited.
        step: StepId,
    },
    /// Somebody decided.
    ApprovalDecided {
        /// The plan that the decision is about.
        plan: PlanDigest,
        /// The findings that it saw.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        findings: Option<FindingsDigest>,
        /// What was decided.
        decision: Decision,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// The run waits for a person.
    Paused {
        /// Why.
        reason: String,
        /// The step whose failure, or the group whose lateness, made it wait, when one did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// Who made it wait, when somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<String>,
    },
    /// Somebody let the run go on.
    Resumed {
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody asked for another attempt of a failed step, or gave a group that was late its time anew.
    RetryRequested {
        /// The step or group.
        step: StepId,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody asked to go on without a step.
    SkipRequested {
        /// The step or group.
        step: StepId,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody switched the run, or a part of it, to ungraceful: from here on the plan's rules for that hold.
    ModeSwitched {
        /// The step or group; absent for the whole run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        step: Option<StepId>,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// Somebody asked to end the run.
    CancelRequested {
        /// By whom.
        who: String,
        /// Why.
        why: String,
        /// Whether to take back what was done.
        compensate: bool,
    },
    /// The engine took a request out of the inbox: what it led to, if anything, was written in the same append.
    RequestAnswered {
        /// Which. Requests are answered in order, each once: this says that every earlier one has been, too.
        request: RequestId,
        /// Why nothing was done about it, when it was refused.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<String>,
    },
    /// A safety rule refused a step, which waits for a person.
    RuleRefused {
        /// The step.
        step: StepId,
        /// The rule.
        rule: SafetyRuleId,
        /// What it saw, for a person.
        why: String,
    },
    /// Somebody overruled a safety rule, for the rest of the run.
    RuleOverridden {
        /// The rule.
        rule: SafetyRuleId,
        /// By whom.
        who: String,
        /// Why.
        why: String,
    },
    /// The application's health, after the last step.
    Health {
        /// What is new.
        news: HealthNews,
        /// When, from the run's creation, measured.
        elapsed: Duration,
        /// What was seen, for a person.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        why: String,
    },
    /// What stands of a run that was to leave the world as it was. Right before its end.
    EffectsLeft {
        /// Each effect, the first one made first.
        effects: Vec<StandingEffect>,
    },
    /// Something worth keeping: a verdict, a measurement, a fault that was noticed.
    Note {
        /// What it is: `verdict`, `rpo`, `lag`.
        topic: String,
        /// What it says.
        value: Value,
    },
    /// Something of an application's decision log, which is a run without a plan and consists of nothing else.
    Decision(Box<LogEntry>),
    /// The run is over. Always the last record.
    RunEnded {
        /// How.
        end: RunEnd,
        /// In a sentence.
        summary: String,
    },
}
