use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::restore;
use crate::{
    Clusters,
    deployments::{AutoscalerImage, WorkloadImage, WorkloadRef, change, driver, workload::Seen},
};

/// A workload and the count that it shall have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScaleUpParams {
    /// The workload.
    pub workload: WorkloadRef,
    /// At least so many replicas.
    pub replicas: u32,
}

impl ScaleUpParams {
    fn wanted(&self) -> i32 {
        i32::try_from(self.replicas).unwrap_or(i32::MAX)
    }
}

/// Has a workload's owner keep at least a number of replicas: the autoscaler's bounds are raised where there is one, the
/// Deployment is scaled where there is none. Its output is what stood before.
///
/// A workload that already asks for more is left as it is.
#[derive(Clone, Debug)]
pub struct ScaleUp {
    clusters: Clusters,
}

impl ScaleUp {
    /// The step, acting through these clients.
    #[must_use]
    pub fn new(clusters: Clusters) -> Self {
        Self { clusters }
    }

    /// What stood before the first attempt, or stands now when nothing was journalled.
    fn before(cx: &StepCx, seen: &Seen, params: &ScaleUpParams) -> Result<WorkloadImage> {
        match cx.before() {
            Some(image) => decode(image),
            None => Ok(seen.image(&params.workload)),
        }
    }
}

fn decode(image: &Value) -> Result<WorkloadImage> {
    WorkloadImage::deserialize(image).map_err(|e| {
        Error::new(ErrorKind::Invalid, format!("the before-image does not decode: {e}")).with_effect(Effect::NotApplied)
    })
}

#[async_trait]
impl Step for ScaleUp {
    const KIND: &'static str = "k8s.deployments/scale-up";
    type Params = ScaleUpParams;
    type Output = WorkloadImage;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &ScaleUpParams) -> Vec<Call> {
        // An upper bound below the target is raised with the lower one; a higher one stays.
        let raised = |call: Call| match call.args.contains_key("minReplicas") {
            true => call.arg("maxReplicasAtLeast", params.replicas),
            false => call,
        };
        driver::scaling_calls(&params.workload, params.replicas).into_iter().map(raised).collect()
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, _: &StepCx, params: &ScaleUpParams) -> Result<Option<Value>> {
        let image = params.workload.see(&self.clusters).await?.image(&params.workload);
        let stored = serde_json::to_value(image).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        Ok(Some(stored))
    }

    async fn observe(&self, cx: &StepCx, params: &ScaleUpParams) -> Result<Observed<WorkloadImage>> {
        let seen = params.workload.see(&self.clusters).await?;
        if seen.asks_for(params.wanted()) {
            return Ok(Observed::Done { output: Self::before(cx, &seen, params)? });
        }
        Ok(match seen.rival() {
            Some(reason) => Observed::Blocked { reason: format!("{}: {reason}", params.workload) },
            None => Observed::NotStarted,
        })
    }

    async fn execute(&self, cx: &StepCx, params: &ScaleUpParams) -> Result<WorkloadImage> {
        let (workload, wanted) = (&params.workload, params.wanted());
        let seen = workload.see(&self.clusters).await?;
        let before = Self::before(cx, &seen, params)?;
        let replicas = seen.replicas();
        match seen.bounds() {
            Some(from) => {
                let to = AutoscalerImage {
                    name: from.name.clone(),
                    min: Some(from.lower().max(wanted)),
                    max: from.max.max(wanted),
                };
                if to.min != Some(from.lower()) || to.max != from.max {
                    change::bounds(&self.clusters, workload, &from, &to).await?;
                    let (name, min, max) = (&to.name, to.min.unwrap_or(1), to.max);
                    cx.progress(format!("autoscaler {name} keeps {min} to {max}"));
                }
                // An autoscaler leaves a target at zero alone: the first replicas have to be asked for.
                if replicas == 0 && wanted > 0 {
                    change::scale(&self.clusters, workload, 0, wanted).await?;
                    cx.progress(format!("{} scaled from 0 to {wanted}", workload.deployment));
                }
            }
            None if replicas < wanted => {
                change::scale(&self.clusters, workload, replicas, wanted).await?;
                cx.progress(format!("{} scaled from {replicas} to {wanted}", workload.deployment));
            }
            None => {}
        }
        Ok(before)
    }

    async fn verify(&self, _: &StepCx, params: &ScaleUpParams, _: &WorkloadImage) -> Result<()> {
        let seen = params.workload.see(&self.clusters).await?;
        if seen.asks_for(params.wanted()) {
            return Ok(());
        }
        let message = format!("{} does not ask for {} replicas", params.workload, params.replicas);
        Err(Error::new(ErrorKind::PostconditionFailed, message))
    }

    async fn compensate(&self, cx: &StepCx, _: &ScaleUpParams, output: Option<&WorkloadImage>) -> Result<()> {
        let image = match (cx.before(), output) {
            (Some(image), _) => decode(image)?,
            (None, Some(image)) => image.clone(),
            // Nothing was journalled, so nothing was begun.
            (None, None) => return Ok(()),
        };
        restore::put_back(&self.clusters, cx, &image).await
    }
}
