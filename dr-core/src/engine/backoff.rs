use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::{StepState, StepView};
use crate::{
    error::{Failure, Retry},
    model::{RunId, StepId},
    plan::{PlanStep, RetryPolicy},
};

/// The failure of the last attempt, when the last attempt failed.
fn failure(view: &StepView) -> Option<&Failure> {
    match &view.state {
        StepState::Failed { failure } | StepState::CompensationFailed { failure } => Some(failure),
        _ => None,
    }
}

/// Whether a failed step is not tried again unless somebody asks.
pub(super) fn exhausted(step: &PlanStep, view: &StepView) -> bool {
    failure(view).is_some_and(|failure| {
        !view.retry_asked && (failure.retry == Retry::Never || view.failures >= step.retry.attempts)
    })
}

/// The pause before the next attempt: doubling, capped, and cut by up to half so that steps that failed together do not
/// come back together. The cut is drawn from the names, not from chance: the same run waits the same.
pub(super) fn pause(run: &RunId, step: &PlanStep, view: &StepView) -> Duration {
    let Some(failure) = failure(view).filter(|_| !view.retry_asked) else { return Duration::ZERO };
    let attempt = view.attempts + view.compensations;
    let pause = pause_after(run, &step.id, &step.retry, view.failures, attempt);
    match failure.retry {
        // Not before what the far side asked for; the rest on top, so that its other callers do not come back together.
        Retry::After(at_least) => at_least + pause.min(Duration::from_secs(1)),
        _ => pause,
    }
}

/// The pause after a step's `failures`-th failure in a row, which its `attempt`-th attempt was.
pub(crate) fn pause_after(run: &RunId, step: &StepId, retry: &RetryPolicy, failures: u32, attempt: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let whole = retry.first.saturating_mul(1 << doublings).min(retry.most);
    whole.mul_f64(1.0 - 0.5 * fraction(&format!("{run}\0{step}\0{attempt}")))
}

/// A number from 0 to 1 that text decides.
fn fraction(text: &str) -> f64 {
    let hash = Sha256::digest(text);
    let first = hash.iter().take(4).fold(0_u32, |n, byte| n << 8 | u32::from(*byte));
    f64::from(first) / f64::from(u32::MAX)
}
