use async_trait::async_trait;
use dr_core::{
    error::Result,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde_json::Value;

use super::{Promoted, Route, progress};
use crate::{
    Clients,
    aurora_global::{api::Api, operations},
};

/// Moves the writer while both regions are well: `SwitchoverGlobalCluster`, in the current primary's region.
///
/// Nothing is lost: Aurora stops the old primary, waits for the target to catch up, and exchanges the roles. Taken back
/// by a switchover the other way.
#[derive(Clone, Debug)]
pub struct Switchover {
    api: Api,
}

impl Switchover {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn look(&self, route: &Route) -> Result<Observed<Promoted>> {
        Ok(match progress::observe(&self.api, &route.from_region, route).await? {
            Observed::Done { output: () } => Observed::Done { output: output(route) },
            Observed::NotStarted => Observed::NotStarted,
            Observed::InFlight => Observed::InFlight,
            Observed::Blocked { reason } => Observed::Blocked { reason },
        })
    }

    async fn run(&self, cx: &StepCx, route: &Route) -> Result<()> {
        cx.progress(format!("asking {} to hand over to {}", route.from_region, route.to));
        let asked = self.api.switchover(&route.from_region, &route.global_cluster, &route.to).await;
        progress::accepted(asked, &self.api, &route.from_region, route).await?;
        progress::wait(cx, &self.api, &route.from_region, route).await
    }
}

fn output(route: &Route) -> Promoted {
    Promoted { writer: route.to.clone(), rpo: None }
}

#[async_trait]
impl Step for Switchover {
    const KIND: &'static str = "aws.aurora_global/switchover";
    type Params = Route;
    type Output = Promoted;

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        let at = &route.from_region;
        let mut calls = operations::looks(route, at, route.to.as_str());
        if let Some(cluster) = calls.last_mut() {
            // The target is described where it lives.
            *cluster = operations::call(&operations::DESCRIBE_CLUSTERS, route, &route.to_region);
        }
        calls.push(operations::call(&operations::DESCRIBE_INSTANCES, route, &route.to_region));
        calls.push(
            operations::call(&operations::SWITCHOVER, route, at)
                .arg("GlobalClusterIdentifier", route.global_cluster.as_str())
                .arg("TargetDbClusterIdentifier", route.to.as_str()),
        );
        calls
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, route: &Route) -> Result<Option<Value>> {
        progress::before_image(cx, &self.api, &route.from_region, route).await
    }

    async fn observe(&self, _cx: &StepCx, route: &Route) -> Result<Observed<Promoted>> {
        self.look(route).await
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<Promoted> {
        self.run(cx, route).await?;
        Ok(output(route))
    }

    async fn verify(&self, _cx: &StepCx, route: &Route, _output: &Promoted) -> Result<()> {
        progress::verify(&self.api, route).await
    }

    async fn compensate(&self, cx: &StepCx, route: &Route, _output: Option<&Promoted>) -> Result<()> {
        let wrote_before = cx.before().and_then(|before| before.get("writer")).and_then(Value::as_str);
        if wrote_before == Some(route.to.as_str()) {
            // The target wrote already when the step began: there is nothing to take back.
            return Ok(());
        }
        let back = route.reversed();
        match self.look(&back).await? {
            Observed::Done { .. } => Ok(()),
            Observed::NotStarted => self.run(cx, &back).await,
            // One that runs, here or there, must end first; then the world says what is left to do.
            Observed::InFlight | Observed::Blocked { .. } => {
                cx.poll_until(progress::EVERY, || async {
                    Ok(self.api.global(&back.from_region, &back.global_cluster).await?.transfer.is_none().then_some(()))
                })
                .await?;
                match self.look(&back).await? {
                    Observed::Done { .. } => Ok(()),
                    _ => self.run(cx, &back).await,
                }
            }
        }
    }
}
