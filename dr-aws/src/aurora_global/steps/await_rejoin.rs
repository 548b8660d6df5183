use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};

use super::{Route, progress};
use crate::{
    Clients,
    aurora_global::{LagSample, api::Api, operations},
};

/// Waits until the cluster that is to take over again follows the primary: Aurora rebuilds an old primary by itself when
/// its region is back, in minutes to hours. A failback begins with it.
#[derive(Clone, Debug)]
pub struct AwaitRejoin {
    api: Api,
}

/// What the wait found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Rejoined {
    /// The lag at the end; absent when CloudWatch has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag: Option<LagSample>,
    /// What the rejoined region's events say of the last failover: whether the old primary had been fenced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was_fenced: Option<bool>,
}

impl AwaitRejoin {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn look(&self, cx: &StepCx, route: &Route) -> Result<Observed<Rejoined>> {
        let global = self.api.global(&route.from_region, &route.global_cluster).await?;
        let Some(member) = global.member(&route.to) else {
            return Ok(Observed::Blocked {
                reason: format!(
                    "{} is not a member of {}: after a detach the global database has to be made anew",
                    route.to, route.global_cluster
                ),
            });
        };
        if global.transfer.is_some() || !(member.is_writer || member.sync.as_deref() == Some("connected")) {
            return Ok(Observed::NotStarted);
        }
        if self.api.cluster(&route.to_region, &route.to).await?.status != "available" {
            return Ok(Observed::NotStarted);
        }
        let lag = self.api.last_lag(&route.to_region, &route.to, cx.clock.wall()).await.unwrap_or_default();
        let was_fenced = self.api.was_fenced(&route.to_region).await.unwrap_or_default();
        Ok(Observed::Done { output: Rejoined { lag, was_fenced } })
    }
}

#[async_trait]
impl Step for AwaitRejoin {
    const KIND: &'static str = "aws.aurora_global/await-rejoin";
    type Params = Route;
    type Output = Rejoined;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        [
            (&operations::DESCRIBE_GLOBAL, &route.from_region),
            (&operations::DESCRIBE_CLUSTERS, &route.to_region),
            (&operations::GET_METRICS, &route.to_region),
            (&operations::DESCRIBE_EVENTS, &route.to_region),
        ]
        .into_iter()
        .map(|(operation, at)| operations::call(operation, route, at))
        .collect()
    }

    /// Says `NotStarted` where others would say `InFlight`: waiting is all that `execute` does, and does no harm twice.
    async fn observe(&self, cx: &StepCx, route: &Route) -> Result<Observed<Rejoined>> {
        self.look(cx, route).await
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<Rejoined> {
        cx.progress(format!("waiting for {} to follow the primary", route.to));
        cx.poll_until(progress::EVERY, || async {
            match self.look(cx, route).await? {
                Observed::Done { output } => Ok(Some(output)),
                Observed::NotStarted | Observed::InFlight => Ok(None),
                Observed::Blocked { reason } => Err(Error::new(ErrorKind::PreconditionFailed, reason)),
            }
        })
        .await
    }

    async fn compensate(&self, _cx: &StepCx, _route: &Route, _output: Option<&Rejoined>) -> Result<()> {
        Ok(())
    }
}
