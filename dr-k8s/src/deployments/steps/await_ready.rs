use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result, Retry},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::{Monotonic, Timestamp},
};
use serde::{Deserialize, Serialize};

use crate::{
    Clusters,
    deployments::{
        WorkloadRef, driver,
        readiness::{Obstacle, available, hopeful, missing, obstacle},
    },
};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(2);

/// A workload and what it must be able to carry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitReadyParams {
    /// The workload.
    pub workload: WorkloadRef,
    /// At least so many replicas must be available.
    pub replicas: u32,
    /// How long pods may find no node before the wait is given up.
    pub unschedulable_after: Duration,
}

impl AwaitReadyParams {
    fn wanted(&self) -> i32 {
        i32::try_from(self.replicas).unwrap_or(i32::MAX)
    }

    /// How many are enough now: fewer than wanted once the step is in ungraceful mode and its plan says so.
    fn enough(&self, cx: &StepCx) -> i32 {
        let percent = cx.minimum_success().unwrap_or(100);
        let enough = (u64::from(self.replicas) * u64::from(percent)).div_ceil(100);
        i32::try_from(enough).unwrap_or(i32::MAX)
    }
}

/// That a workload can take its load.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadyEvidence {
    /// When it was seen.
    pub at: Timestamp,
    /// How many replicas were available.
    pub available: i32,
}

/// Waits until a workload can take its load, and gives up early, with the reason, when its pods cannot start.
///
/// In ungraceful mode it is content with the plan's minimum of success, and with what it found by the time of the switch.
#[derive(Clone, Debug)]
pub struct AwaitReady {
    clusters: Clusters,
}

impl AwaitReady {
    /// The step, looking through these clients.
    #[must_use]
    pub fn new(clusters: Clusters) -> Self {
        Self { clusters }
    }

    async fn look(&self, cx: &StepCx, params: &AwaitReadyParams) -> Result<Result<ReadyEvidence, String>> {
        let deployment = params.workload.deployment(&self.clusters).await?;
        Ok(match missing(&deployment, params.wanted(), params.enough(cx)) {
            Some(missing) => Err(missing),
            None => Ok(ReadyEvidence { at: cx.clock.wall(), available: available(&deployment) }),
        })
    }

    /// Gives up when a pod cannot start, and time alone will not mend it.
    async fn give_up(
        &self,
        cx: &StepCx,
        params: &AwaitReadyParams,
        homeless_since: &mut Option<Monotonic>,
    ) -> Result<()> {
        let deployment = params.workload.deployment(&self.clusters).await?;
        let pods = params.workload.pods(&self.clusters, &deployment).await?;
        if params.enough(cx) < params.wanted() && hopeful(&pods) >= params.enough(cx) {
            return Ok(());
        }
        let found = obstacle(&pods);
        let now = cx.clock.monotonic();
        match &found {
            Some(Obstacle::Unschedulable { .. }) => {
                let since = *homeless_since.get_or_insert(now);
                if now.since(since) < params.unschedulable_after {
                    return Ok(());
                }
            }
            Some(Obstacle::Stuck { .. }) => {}
            None => {
                *homeless_since = None;
                return Ok(());
            }
        }
        let reason = found.map(|obstacle| obstacle.describe()).unwrap_or_default();
        Err(Error::new(ErrorKind::PreconditionFailed, format!("{} will not become ready: {reason}", params.workload))
            .with_effect(Effect::NotApplied)
            .with_retry(Retry::Never))
    }
}

#[async_trait]
impl Step for AwaitReady {
    const KIND: &'static str = "k8s.deployments/await-ready";
    type Params = AwaitReadyParams;
    type Output = ReadyEvidence;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, params: &AwaitReadyParams) -> Vec<Call> {
        driver::watching_calls(&params.workload)
    }

    async fn observe(&self, cx: &StepCx, params: &AwaitReadyParams) -> Result<Observed<ReadyEvidence>> {
        Ok(match self.look(cx, params).await? {
            Ok(output) => Observed::Done { output },
            Err(_) => Observed::NotStarted,
        })
    }

    async fn execute(&self, cx: &StepCx, params: &AwaitReadyParams) -> Result<ReadyEvidence> {
        let mut told = String::new();
        let mut homeless_since = None;
        loop {
            let looked = match self.look(cx, params).await {
                Ok(Ok(evidence)) => return Ok(evidence),
                Ok(Err(missing)) => self.give_up(cx, params, &mut homeless_since).await.map(|()| missing),
                Err(error) => Err(error),
            };
            // A cluster that answers badly for a while says nothing of the workload: only the deadline ends the wait.
            let state = match looked {
                Ok(missing) => missing,
                Err(error) if error.retry() == Retry::Never => return Err(error),
                Err(error) => error.to_string(),
            };
            if state != told {
                cx.progress(&state);
                told = state;
            }
            if let Err(stop) = cx.wait(EVERY).await {
                let message = format!("{}: {told} ({})", params.workload, stop.message());
                return Err(Error::new(stop.kind(), message).with_effect(Effect::NotApplied));
            }
        }
    }

    async fn verify(&self, cx: &StepCx, params: &AwaitReadyParams, _: &ReadyEvidence) -> Result<()> {
        match self.look(cx, params).await? {
            Ok(_) => Ok(()),
            Err(missing) => {
                let message = format!("{} was ready and is no longer: {missing}", params.workload);
                Err(Error::new(ErrorKind::PostconditionFailed, message))
            }
        }
    }

    async fn compensate(&self, _: &StepCx, _: &AwaitReadyParams, _: Option<&ReadyEvidence>) -> Result<()> {
        Ok(())
    }
}
