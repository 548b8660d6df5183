use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{
    detect::{Verdict, Why},
    journal::Signed,
    model::{RegionId, RunId},
    plan::Goal,
    probe::Spoken,
};

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Choice {
    /// Fail over.
    Act {
        /// What the run is for.
        goal: Goal,
        /// Who said yes; nobody when the policy acts by itself.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Signed>,
    },
    /// Ask somebody.
    Ask {
        /// What the run would be for.
        goal: Goal,
        /// What is asked.
        question: String,
    },
    /// Do nothing.
    Hold,
}

/// One reason not to act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "because", rename_all = "kebab-case")]
pub enum Blocker {
    /// Nothing is known of the region that takes the writes.
    RegionUnseen {
        /// Which.
        region: RegionId,
    },
    /// The region is not held lost.
    RegionNotLost {
        /// Which.
        region: RegionId,
        /// What it is held to be.
        verdict: Verdict,
        /// In a sentence.
        why: String,
    },
    /// The verdict stands, and too few observers hold it at this moment.
    QuorumIncomplete {
        /// Of which region.
        region: RegionId,
        /// How many observers hold it lost.
        against: usize,
        /// How many must.
        quorum: usize,
        /// How many see anything at all.
        seeing: usize,
        /// How many there are.
        observers: usize,
    },
    /// There is no region to go to.
    NowhereToGo,
    /// The region to go to is unhealthy or unknown.
    TargetUnfit {
        /// Which.
        region: RegionId,
        /// What it is held to be.
        verdict: Verdict,
        /// In a sentence.
        why: String,
    },
    /// It would lead back to a region that was left. Somebody fails back, never a policy.
    WouldFailBack {
        /// To which.
        region: RegionId,
    },
    /// A condition does not hold, or not for long enough.
    Condition {
        /// Its name.
        name: String,
        /// Why.
        why: String,
    },
    /// Somebody keeps everything from starting.
    KillSwitch {
        /// Where: `journal` or `file`.
        place: String,
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// A run of the application has not ended.
    RunOpen {
        /// Which.
        run: RunId,
        /// What it is for.
        goal: Goal,
        /// What it waits for, while it waits for somebody.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waits: Option<String>,
    },
    /// The policy leaves everything to people.
    Manual,
    /// A maintenance window is open.
    Window {
        /// What it is for.
        why: String,
        /// How long it stays open.
        left: Duration,
    },
    /// Another run started by itself too recently.
    Spacing {
        /// Which.
        run: RunId,
        /// How long nothing starts yet.
        left: Duration,
    },
    /// The application moved, or tried to, too recently, and nobody has acknowledged it.
    BlockPeriod {
        /// By which run.
        run: RunId,
        /// How long nothing starts yet.
        left: Duration,
    },
    /// Somebody was asked, and said no.
    Refused {
        /// Who.
        who: String,
        /// Why.
        why: String,
    },
    /// The last decision to act came to no run.
    StartFailed {
        /// Why.
        why: String,
        /// When it is tried again.
        left: Duration,
    },
}

impl Blocker {
    /// What makes it another one than the blocker of a moment ago: not the seconds that are left, nor the words.
    #[must_use]
    pub fn key(&self) -> String {
        match self {
            Self::RegionUnseen { region } => format!("region-unseen {region}"),
            Self::RegionNotLost { region, verdict, .. } => format!("region-not-lost {region} {verdict}"),
            Self::QuorumIncomplete { region, .. } => format!("quorum-incomplete {region}"),
            Self::NowhereToGo => "nowhere-to-go".to_owned(),
            Self::TargetUnfit { region, verdict, .. } => format!("target-unfit {region} {verdict}"),
            Self::WouldFailBack { region } => format!("would-fail-back {region}"),
            Self::Condition { name, .. } => format!("condition {name}"),
            Self::KillSwitch { place, who, why } => format!("kill-switch {place} {who} {why}"),
            Self::RunOpen { run, waits: None, .. } => format!("run-open {run}"),
            // A gate, and what failed before it, are two things to wait for.
            Self::RunOpen { run, waits: Some(what), .. } => format!("run-open {run} {what}"),
            Self::Manual => "manual".to_owned(),
            Self::Window { why, .. } => format!("window {why}"),
            Self::Spacing { run, .. } => format!("spacing {run}"),
            Self::BlockPeriod { run, .. } => format!("block-period {run}"),
            Self::Refused { who, .. } => format!("refused {who}"),
            Self::StartFailed { why, .. } => format!("start-failed {why}"),
        }
    }
}

impl fmt::Display for Blocker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RegionUnseen { region } => write!(f, "nothing is known of {region}, which takes the writes"),
            Self::RegionNotLost { why, .. } => write!(f, "the region is not held lost: {why}"),
            Self::QuorumIncomplete { region, against, quorum, seeing, observers } => write!(
                f,
                "the quorum is incomplete: {against} of {observers} observers hold {region} lost at this moment, {quorum} \
                 are needed, and {seeing} can see"
            ),
            Self::NowhereToGo => f.write_str("there is no other region to go to"),
            Self::TargetUnfit { region, verdict, why } => {
                write!(f, "never toward a region that is {verdict}: {region}: {why}")
            }
            Self::WouldFailBack { region } => {
                write!(f, "going to {region}, which was left before, is a failback: somebody has to decide on that")
            }
            Self::Condition { name, why } => write!(f, "the condition {name} does not hold: {why}"),
            Self::KillSwitch { place, who, why } => {
                write!(f, "the kill switch is on ({place}), by {who}")?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
            }
            Self::RunOpen { run, goal, waits } => {
                write!(f, "run {run} has not ended: {goal}")?;
                waits.as_ref().map_or(Ok(()), |what| write!(f, "; it waits for somebody: {what}"))
            }
            Self::Manual => f.write_str("the policy's mode is manual: somebody starts failovers by hand"),
            Self::Window { why, left } => {
                write!(f, "a window is open for another {} in which nothing starts by itself: {why}", Spoken(*left))
            }
            Self::Spacing { run, left } => {
                write!(f, "run {run} started by itself lately: the next may in {}", Spoken(*left))
            }
            Self::BlockPeriod { run, left } => write!(
                f,
                "run {run} moved the application, or tried to: nothing starts by itself for another {}, unless somebody \
                 acknowledges it",
                Spoken(*left)
            ),
            Self::Refused { who, why } => {
                write!(f, "{who} was asked and said no")?;
                if why.is_empty() { Ok(()) } else { write!(f, ": {why}") }
            }
            Self::StartFailed { why, left } => {
                write!(f, "the last decision to act came to no run, and is tried again in {}: {why}", Spoken(*left))
            }
        }
    }
}

/// How a condition stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConditionState {
    /// Its name.
    pub name: String,
    /// Whether it holds, and has for long enough.
    pub holds: bool,
    /// How long what it asks for has been so; none when it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub so_for: Option<Duration>,
    /// How long it has to be.
    pub lasting: Duration,
    /// What was seen, in a sentence.
    pub saw: String,
}

/// What was held of a region when the decision was taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegionReading {
    /// The region.
    pub region: RegionId,
    /// The verdict.
    pub verdict: Verdict,
    /// For how long.
    pub lasting: Duration,
    /// In a sentence.
    pub why: String,
    /// As data: what each observer holds, and the readings behind it.
    pub because: Why,
}

/// What is to be done, and why.
///
/// Its text, by `Display`, is the whole answer to "why did you (not) fail over?"; [`sentence`](Self::sentence) is the short
/// one, and its JSON the one for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is to be done.
    pub choice: Choice,
    /// The region that takes the writes.
    pub from: RegionId,
    /// The region to go to, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<RegionId>,
    /// Everything that spoke against acting; empty unless it holds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blockers: Vec<Blocker>,
    /// Every condition of the policy.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<ConditionState>,
    /// What was held of every region.
    pub readings: Vec<RegionReading>,
}

impl Decision {
    /// Whether somebody who knew `earlier` learns nothing of substance: the same choice for the same reasons, whatever the
    /// seconds and the words.
    #[must_use]
    pub fn says_the_same_as(&self, earlier: &Self) -> bool {
        let keys = |decision: &Self| -> Vec<String> { decision.blockers.iter().map(Blocker::key).collect() };
        let choice = |decision: &Self| match &decision.choice {
            Choice::Act { goal, .. } => (2, Some(goal.clone())),
            Choice::Ask { goal, .. } => (1, Some(goal.clone())),
            Choice::Hold => (0, None),
        };
        choice(self) == choice(earlier)
            && (&self.from, &self.to) == (&earlier.from, &earlier.to)
            && keys(self) == keys(earlier)
    }

    /// What the run is for, when there is to be one.
    #[must_use]
    pub fn goal(&self) -> Option<&Goal> {
        match &self.choice {
            Choice::Act { goal, .. } | Choice::Ask { goal, .. } => Some(goal),
            Choice::Hold => None,
        }
    }

    /// `act`, `ask` or `hold`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self.choice {
            Choice::Act { .. } => "act",
            Choice::Ask { .. } => "ask",
            Choice::Hold => "hold",
        }
    }
}
