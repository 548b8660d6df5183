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

/// Promotes a secondary whose primary is lost: `FailoverGlobalCluster` with `AllowDataLoss`, in the target's region.
///
/// Irreversible: what had not been replicated is gone. Aurora rebuilds the old primary by itself when its region is back.
#[derive(Clone, Debug)]
pub struct Promote {
    api: Api,
}

/// What a promotion found out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Promoted {
    /// The cluster that writes now.
    pub writer: Arn,
    /// What is known of the writes that were lost; absent for a switchover, which loses none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rpo: Option<RpoEvidence>,
}

impl Promote {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn output(&self, cx: &StepCx, route: &Route) -> Promoted {
        // CloudWatch keeps its samples after the primary is gone, so that this can be asked at any time; a failing
        // metric must never hold a failover up. A lag told later is that of a cluster which follows nobody any more.
        let before = cx.before().and_then(|before| before.get("at")).and_then(timestamp);
        let given_up_at = before.unwrap_or_else(|| cx.clock.wall());
        let sample = match self.api.last_lag(&route.to_region, &route.to, given_up_at).await {
            Ok(sample) => sample,
            Err(error) => {
                cx.progress(format!("the lag at promotion is unknown: {error}"));
                None
            }
        };
        Promoted { writer: route.to.clone(), rpo: Some(RpoEvidence::new(sample, given_up_at)) }
    }
}

fn timestamp(value: &Value) -> Option<Timestamp> {
    Timestamp::deserialize(value).ok()
}

#[async_trait]
impl Step for Promote {
    const KIND: &'static str = "aws.aurora_global/promote";
    type Params = Route;
    type Output = Promoted;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Irreversible
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        let at = &route.to_region;
        let mut calls = operations::looks(route, at, route.to.as_str());
        calls.push(operations::call(&operations::GET_METRICS, route, at));
        calls.push(operations::call(&operations::DESCRIBE_INSTANCES, route, at));
        calls.push(
            operations::call(&operations::FAILOVER, route, at)
                .arg("GlobalClusterIdentifier", route.global_cluster.as_str())
                .arg("TargetDbClusterIdentifier", route.to.as_str())
                .arg("AllowDataLoss", true),
        );
        calls
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, route: &Route) -> Result<Option<Value>> {
        progress::before_image(cx, &self.api, &route.to_region, route).await
    }

    async fn observe(&self, cx: &StepCx, route: &Route) -> Result<Observed<Promoted>> {
        Ok(match progress::observe(&self.api, &route.to_region, route).await? {
            Observed::Done { output: () } => Observed::Done { output: self.output(cx, route).await },
            Observed::NotStarted => Observed::NotStarted,
            Observed::InFlight => Observed::InFlight,
            Observed::Blocked { reason } => Observed::Blocked { reason },
        })
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<Promoted> {
        cx.progress(format!("asking {} to promote {} with data loss allowed", route.to_region, route.to));
        let asked = self.api.failover(&route.to_region, &route.global_cluster, &route.to).await;
        progress::accepted(asked, &self.api, &route.to_region, route).await?;
        progress::wait(cx, &self.api, &route.to_region, route).await?;
        Ok(self.output(cx, route).await)
    }

    async fn verify(&self, _cx: &StepCx, route: &Route, _output: &Promoted) -> Result<()> {
        progress::verify(&self.api, route).await
    }

    async fn compensate(&self, _cx: &StepCx, route: &Route, _output: Option<&Promoted>) -> Result<()> {
        Err(Error::new(
            ErrorKind::Unsupported,
            format!("the failover to {} cannot be taken back: fail back with a switchover once the old primary has rejoined", route.to),
        )
        .with_effect(Effect::NotApplied))
    }
}
