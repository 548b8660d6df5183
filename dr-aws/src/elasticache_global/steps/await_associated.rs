use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};

use super::CacheRoute;
use crate::{
    Clients,
    elasticache_global::{api::Api, operations},
};

const EVERY: Duration = Duration::from_secs(5);

/// Waits until the group that is to take over holds the primary's data: a demoted primary is filled anew when its region
/// is back. A failback begins with it.
#[derive(Clone, Debug)]
pub struct AwaitAssociated {
    api: Api,
}

impl AwaitAssociated {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }

    async fn look(&self, route: &CacheRoute) -> Result<Observed<()>> {
        let datastore = self.api.datastore(&route.to_region, &route.datastore).await?;
        let Some(member) = datastore.member(&route.to_region, &route.to) else {
            return Ok(Observed::Blocked {
                reason: format!("{} in {} is not a member of {}", route.to, route.to_region, route.datastore),
            });
        };
        let holds = member.is_primary || member.status == "associated";
        // Says `NotStarted` where others would say `InFlight`: waiting is all that `execute` does, and does no harm twice.
        Ok(if holds && datastore.status == "available" { Observed::Done { output: () } } else { Observed::NotStarted })
    }
}

#[async_trait]
impl Step for AwaitAssociated {
    const KIND: &'static str = "aws.elasticache_global/await-associated";
    type Params = CacheRoute;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, route: &CacheRoute) -> Vec<Call> {
        vec![operations::call(&operations::DESCRIBE, route)]
    }

    async fn observe(&self, _cx: &StepCx, route: &CacheRoute) -> Result<Observed<()>> {
        self.look(route).await
    }

    async fn execute(&self, cx: &StepCx, route: &CacheRoute) -> Result<()> {
        cx.progress(format!("waiting for {} in {} to hold the primary's data", route.to, route.to_region));
        cx.poll_until(EVERY, || async {
            match self.look(route).await? {
                Observed::Done { output: () } => Ok(Some(())),
                Observed::NotStarted | Observed::InFlight => Ok(None),
                Observed::Blocked { reason } => Err(Error::new(ErrorKind::PreconditionFailed, reason)),
            }
        })
        .await
    }

    async fn compensate(&self, _cx: &StepCx, _route: &CacheRoute, _output: Option<&()>) -> Result<()> {
        Ok(())
    }
}
