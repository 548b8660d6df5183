use serde::{Deserialize, Serialize};

use super::Percentiles;
use crate::model::{ApplicationId, StepId};

/// A share of drills, and how far chance may have moved it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Share {
    /// From 0 to 1.
    pub share: f64,
    /// The 95 % confidence interval (Wilson): other seeds would give a share from here...
    pub low: f64,
    /// ...to here.
    pub high: f64,
}

impl Share {
    pub(super) fn of(count: usize, all: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "at most ten million drills")]
        let (p, n) = (count as f64 / all.max(1) as f64, all.max(1) as f64);
        let z2 = 1.96_f64 * 1.96;
        let middle = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
        let half = 1.96 * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt() / (1.0 + z2 / n);
        Self { share: p, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }
}

/// Where the time goes: the median of each part, in seconds, over the drills that recovered. Medians do not add up exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// From the fault to the verdict.
    pub detection: f64,
    /// From the verdict to the first step.
    pub decision: f64,
    /// From the first step until traffic has been moved.
    pub run: f64,
    /// Until the authority's answers have changed.
    pub publish: f64,
    /// Until enough clients have followed.
    pub clients: f64,
}

/// How a step matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StepShare {
    /// The step.
    pub step: StepId,
    /// The share of drills whose critical path it was on: making it faster would have ended them earlier.
    pub critical: f64,
    /// The share of drills in which it used up its attempts or its run's deadline.
    pub stopped: f64,
}

/// What a model's drills came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Prediction {
    /// Whose failover it is.
    pub application: ApplicationId,
    /// How many drills were played.
    pub drills: u32,
    /// What they were drawn from.
    pub seed: u64,
    /// The recovery time, in seconds.
    pub rto: Percentiles,
    /// The recovery point, in seconds; `None` when the model does not know how far the standby is behind.
    pub rpo: Option<Percentiles>,
    /// The recovery time that the business asked for, in seconds.
    pub rto_objective: f64,
    /// The recovery point that the business asked for, in seconds.
    pub rpo_objective: f64,
    /// The drills that met the recovery time objective.
    pub rto_met: Share,
    /// The drills that met the recovery point objective; `None` when that is unknown.
    pub rpo_met: Option<Share>,
    /// The drills that did not recover without a person: a step used up its attempts, or the run its deadline.
    pub stopped: Share,
    /// Where the time goes.
    pub stages: Stages,
    /// The steps up to the one that moves traffic, the most critical first.
    pub steps: Vec<StepShare>,
    /// The recovery times, sorted, those of drills that did not recover left out; thinned to at most 512.
    pub curve: Vec<f64>,
}
