use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{RunView, StepState};
use crate::{
    model::StepId,
    plan::Phase,
    probe::Spoken,
    step::{Reversibility, RpoEvidence},
};

/// What a run lost of the writes that had been acknowledged, as far as the journal can say. Unknown is unknown, never zero.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "rpo", rename_all = "kebab-case")]
pub enum Rpo {
    /// At most the lag, and all that was written while the sample grew old.
    Measured {
        /// The promotion that lost the most.
        step: StepId,
        /// How far the secondary was behind when it was last told.
        lag: Duration,
        /// How old that word was when the old primary was given up.
        sample_age: Duration,
    },
    /// Every promotion was a switchover, which waits until the secondary has everything.
    NoLoss,
    /// Nobody can say.
    Unknown {
        /// Why.
        why: String,
    },
}

impl Rpo {
    /// The most that can be lost; none when unknown.
    #[must_use]
    pub fn at_most(&self) -> Option<Duration> {
        match self {
            Self::Measured { lag, sample_age, .. } => Some(*lag + *sample_age),
            Self::NoLoss => Some(Duration::ZERO),
            Self::Unknown { .. } => None,
        }
    }

    /// It in a few words, for a table: `at most 45.1 s (lag 100 ms, told 45 s before)`.
    #[must_use]
    pub fn in_short(&self) -> String {
        match self {
            Self::Measured { lag, sample_age, .. } => {
                let (most, lag, age) = (Spoken(*lag + *sample_age), Spoken(*lag), Spoken(*sample_age));
                format!("at most {most} (lag {lag}, told {age} before)")
            }
            Self::NoLoss => "nothing".to_owned(),
            Self::Unknown { .. } => "unknown".to_owned(),
        }
    }

    /// Whether it is known to be within an objective. What is unknown is not.
    #[must_use]
    pub fn meets(&self, objective: Duration) -> bool {
        self.at_most().is_some_and(|most| most <= objective)
    }

    /// Reads it from what the promotions of a run found out: the worst of them, and unknown as soon as one is.
    #[must_use]
    pub fn of(view: &RunView) -> Self {
        let unknown = |why: String| Self::Unknown { why };
        let mut worst: Option<Self> = None;
        for (step, state) in view.steps().filter(|(step, _)| step.phase == Phase::Promote) {
            let output = match &state.state {
                StepState::Done { output, .. } => output,
                StepState::Pending | StepState::Skipped { .. } if !state.may_stand() => continue,
                StepState::Compensated => continue,
                _ => return unknown(format!("{} may have promoted, and has not said what was lost", step.id)),
            };
            let evidence = output.get("rpo").filter(|rpo| !rpo.is_null());
            let Some(evidence) = evidence else {
                if step.reversibility == Reversibility::Irreversible {
                    return unknown(format!("{} says nothing of what was lost", step.id));
                }
                worst.get_or_insert(Self::NoLoss);
                continue;
            };
            let Ok(evidence) = serde_json::from_value::<RpoEvidence>(evidence.clone()) else {
                return unknown(format!("what {} says of what was lost cannot be read", step.id));
            };
            let Some(sample) = evidence.last_sample else {
                return unknown(format!("no lag was told before {} gave the old primary up", step.id));
            };
            let sample_age = evidence.given_up_at.since(sample.at);
            let this = Self::Measured { step: step.id.clone(), lag: sample.lag, sample_age };
            if worst.as_ref().and_then(Self::at_most).is_none_or(|most| this.at_most() > Some(most)) {
                worst = Some(this);
            }
        }
        worst.unwrap_or_else(|| unknown("nothing was promoted".to_owned()))
    }
}

impl fmt::Display for Rpo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured { step, lag, sample_age } => write!(
                f,
                "at most {}: a lag of {} at {step}, told {} before",
                Spoken(*lag + *sample_age),
                Spoken(*lag),
                Spoken(*sample_age)
            ),
            Self::NoLoss => f.write_str("none: the roles were exchanged with nothing left to copy"),
            Self::Unknown { why } => write!(f, "unknown: {why}"),
        }
    }
}
