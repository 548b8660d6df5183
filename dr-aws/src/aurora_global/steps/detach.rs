use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Route, progress};
use crate::{
    Clients,
    arn::Arn,
    aurora_global::{RpoEvidence, api::Api, operations},
};

/// Takes a secondary out of its global database, which makes it a writer of its own: `RemoveFromGlobalCluster`, in the
/// target's region. What is left when the engine versions differ and nothing else is allowed.
///
/// Irreversible. Nobody stops the old primary, which writes again when it returns; the way back is to make the global
/// database anew.
#[derive(Clone, Debug)]
pub struct Detach {
    api: Api,
}

/// What a detach found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Detached {
    /// The cluster that writes now, on its own.
    pub writer: Arn,
    /// The cluster that wrote before and will write again when its region is back: keep clients from it, then delete it.
    pub old_primary: Arn,
    /// What is known of the writes that were lost.
    pub rpo: RpoEvidence,
}

impl Detach {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn output(&self, cx: &StepCx, route: &Route) -> Detached {
        let before = cx.before().and_then(|before| before.get("at")).and_then(|at| Timestamp::deserialize(at).ok());
        let given_up_at = before.unwrap_or_else(|| cx.clock.wall());
        let sample = match self.api.last_lag(&route.to_region, &route.to, given_up_at).await {
            Ok(sample) => sample,
            Err(error) => {
                cx.progress(format!("the lag at promotion is unknown: {error}"));
                None
            }
        };
        Detached {
            writer: route.to.clone(),
            old_primary: route.from.clone(),
            rpo: RpoEvidence::new(sample, given_up_at),
        }
    }

    async fn look(&self, cx: &StepCx, route: &Route) -> Result<Observed<Detached>> {
        let global = self.api.global(&route.to_region, &route.global_cluster).await?;
        if let Some(member) = global.member(&route.to) {
            return Ok(match &global.transfer {
                _ if member.is_writer => Observed::Blocked {
                    reason: format!("{} is the primary of {} already", route.to, route.global_cluster),
                },
                Some(transfer) => Observed::Blocked {
                    reason: format!(
                        "global cluster {} is {}: wait until that has ended",
                        route.global_cluster, transfer.status
                    ),
                },
                None => Observed::NotStarted,
            });
        }
        let cluster = self.api.cluster(&route.to_region, &route.to).await?;
        if cluster.status == "available" {
            return Ok(Observed::Done { output: self.output(cx, route).await });
        }
        Ok(Observed::InFlight)
    }
}

#[async_trait]
impl Step for Detach {
    const KIND: &'static str = "aws.aurora_global/detach";
    type Params = Route;
    type Output = Detached;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Irreversible
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        let at = &route.to_region;
        let mut calls = operations::looks(route, at, route.to.as_str());
        calls.push(operations::call(&operations::GET_METRICS, route, at));
        calls.push(operations::call(&operations::DESCRIBE_INSTANCES, route, at));
        calls.push(
            operations::call(&operations::REMOVE, route, at)
                .arg("GlobalClusterIdentifier", route.global_cluster.as_str())
                .arg("DbClusterIdentifier", route.to.as_str()),
        );
        calls
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, route: &Route) -> Result<Option<Value>> {
        progress::before_image(cx, &self.api, &route.to_region, route).await
    }

    async fn observe(&self, cx: &StepCx, route: &Route) -> Result<Observed<Detached>> {
        self.look(cx, route).await
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<Detached> {
        cx.progress(format!("detaching {} from {}: the old primary is not fenced", route.to, route.global_cluster));
        match self.api.remove(&route.to_region, &route.global_cluster, &route.to).await {
            // Not a member any more: an earlier request, whose reply was lost, was carried out.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PreconditionFailed) => {
                match self.look(cx, route).await {
                    Ok(Observed::Done { .. } | Observed::InFlight) => {}
                    _ => return Err(error),
                }
            }
            asked => asked?,
        }
        cx.poll_until(progress::EVERY, || async {
            match self.look(cx, route).await? {
                Observed::Done { output } => Ok(Some(output)),
                // A describe can lag behind the call that it follows.
                Observed::NotStarted | Observed::InFlight => Ok(None),
                Observed::Blocked { reason } => Err(Error::new(ErrorKind::PreconditionFailed, reason)),
            }
        })
        .await
    }

    async fn verify(&self, _cx: &StepCx, route: &Route, _output: &Detached) -> Result<()> {
        progress::verify(&self.api, route).await
    }

    async fn compensate(&self, _cx: &StepCx, route: &Route, _output: Option<&Detached>) -> Result<()> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!(
                "{} cannot rejoin {}: delete the old primary and make the global database anew",
                route.to, route.global_cluster
            ),
        )
        .with_effect(Effect::NotApplied))
    }
}
