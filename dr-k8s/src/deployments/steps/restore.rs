use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    plan::{Arg, Call},
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Clusters,
    deployments::{WorkloadImage, WorkloadRef, change, driver, workload::Seen},
};

/// What a workload shall be again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RestoreParams {
    /// The workload.
    pub workload: WorkloadRef,
    /// What stood before: from an earlier run's journal, or from the step of this plan that changed it.
    pub image: Arg<WorkloadImage>,
}

/// Puts a workload's bounds and count back to exactly what they were, from the before-image and not by the opposite verb.
#[derive(Clone, Debug)]
pub struct Restore {
    clusters: Clusters,
}

impl Restore {
    /// The step, acting through these clients.
    #[must_use]
    pub fn new(clusters: Clusters) -> Self {
        Self { clusters }
    }
}

/// Whether a workload's count is decided again as it was: by the same autoscaler within the same bounds, or by nobody.
fn is_kept_as_before(seen: &Seen, image: &WorkloadImage) -> bool {
    match (&image.autoscaler, seen.bounds()) {
        (Some(then), Some(now)) => (&then.name, then.lower(), then.max) == (&now.name, now.lower(), now.max),
        (None, None) => true,
        _ => false,
    }
}

/// Whether a workload is again exactly what it was.
fn is_back(seen: &Seen, image: &WorkloadImage) -> bool {
    is_kept_as_before(seen, image) && seen.replicas() == image.replicas
}

/// Whether a workload was put back: an autoscaler may since have moved the count within its old bounds, as is its right.
fn was_put_back(seen: &Seen, image: &WorkloadImage) -> bool {
    let moved = image
        .autoscaler
        .as_ref()
        .is_some_and(|bounds| image.replicas > 0 && (bounds.lower()..=bounds.max).contains(&seen.replicas()));
    is_kept_as_before(seen, image) && (moved || seen.replicas() == image.replicas)
}

/// Puts back what the image says, one conditional change at a time: first the bounds, which would undo the count.
pub(super) async fn put_back(clusters: &Clusters, cx: &StepCx, image: &WorkloadImage) -> Result<()> {
    let workload = &image.workload;
    let seen = workload.see(clusters).await?;
    match (&image.autoscaler, seen.bounds()) {
        (Some(to), Some(from)) if to.name == from.name => {
            if (to.lower(), to.max) != (from.lower(), from.max) {
                change::bounds(clusters, workload, &from, to).await?;
                cx.progress(format!("autoscaler {} keeps {} to {} again", to.name, to.lower(), to.max));
            }
        }
        (None, None) => {}
        (before, now) => {
            let name = |bounds: &Option<crate::deployments::AutoscalerImage>| {
                bounds.as_ref().map_or("none".to_owned(), |b| b.name.clone())
            };
            let message = format!(
                "{workload} had the autoscaler {}, and now has {}: somebody else must say what is right",
                name(before),
                name(&now)
            );
            return Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied));
        }
    }
    // Read again: the autoscaler may have acted on its old bounds in between.
    let count = workload.see(clusters).await?.replicas();
    if count != image.replicas {
        change::scale(clusters, workload, count, image.replicas).await?;
        cx.progress(format!("{} scaled from {count} to {}", workload.deployment, image.replicas));
    }
    Ok(())
}

#[async_trait]
impl Step for Restore {
    const KIND: &'static str = "k8s.deployments/restore";
    type Params = RestoreParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &RestoreParams) -> Vec<Call> {
        let replicas = params.image.get().map_or(0, |image| u32::try_from(image.replicas).unwrap_or(0));
        driver::scaling_calls(&params.workload, replicas)
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, _: &StepCx, params: &RestoreParams) -> Result<Option<Value>> {
        let image = params.workload.see(&self.clusters).await?.image(&params.workload);
        let stored = serde_json::to_value(image).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        Ok(Some(stored))
    }

    async fn observe(&self, _: &StepCx, params: &RestoreParams) -> Result<Observed<()>> {
        let image = params.image.get()?;
        let seen = params.workload.see(&self.clusters).await?;
        Ok(if is_back(&seen, image) { Observed::Done { output: () } } else { Observed::NotStarted })
    }

    async fn execute(&self, cx: &StepCx, params: &RestoreParams) -> Result<()> {
        put_back(&self.clusters, cx, params.image.get()?).await
    }

    async fn verify(&self, _: &StepCx, params: &RestoreParams, (): &()) -> Result<()> {
        let image = params.image.get()?;
        let seen = params.workload.see(&self.clusters).await?;
        if was_put_back(&seen, image) {
            return Ok(());
        }
        let message = format!("{} is not what it was: {:?}", params.workload, seen.image(&params.workload).autoscaler);
        Err(Error::new(ErrorKind::PostconditionFailed, message))
    }

    async fn compensate(&self, cx: &StepCx, _: &RestoreParams, _: Option<&()>) -> Result<()> {
        let Some(image) = cx.before() else { return Ok(()) };
        let image = WorkloadImage::deserialize(image).map_err(|e| {
            Error::new(ErrorKind::Invalid, format!("the before-image does not decode: {e}"))
                .with_effect(Effect::NotApplied)
        })?;
        put_back(&self.clusters, cx, &image).await
    }
}
