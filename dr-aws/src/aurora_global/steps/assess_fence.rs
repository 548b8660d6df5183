use async_trait::async_trait;
use dr_core::{
    error::Result,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};

use super::Route;
use crate::{
    Clients,
    arn::Arn,
    aurora_global::{api::Api, operations},
};

/// Establishes, before a promotion, what will keep the old primary from writing, and writes it down.
///
/// **It fences nothing.** From outside a lost region nothing can be done to its database: the only rung within reach is
/// the storage fence that a managed failover attempts by itself, and a detach has not even that. So this step changes
/// nothing and asks nothing of the lost region; what it is worth is that the plan, the journal and the report say which
/// rung a promotion stood on. It is no step of the fence phase, so that lint still asks for a real fence, or for a waiver
/// with a name and a reason.
#[derive(Clone, Debug)]
pub struct AssessFence {
    api: Api,
}

/// What keeps an old primary from writing, weakest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FenceRung {
    /// Another cluster is the writer already: the control plane holds the old one read-only.
    AlreadyDemoted,
    /// The storage fence of the managed failover: best effort, told afterwards by RDS-EVENT-0390 or RDS-EVENT-0391.
    AuroraStorage,
    /// Nothing: the old primary is not in the global database any more, or will not be.
    None,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FenceReport {
    /// The rung.
    pub rung: FenceRung,
    /// Whether it is certain that the old primary takes no writes.
    pub confirmed: bool,
    /// The cluster that the control plane calls the writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub writer: Option<Arn>,
}

impl AssessFence {
    /// The step, over these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { api: Api::new(clients) }
    }
}

#[async_trait]
impl Step for AssessFence {
    const KIND: &'static str = "aws.aurora_global/assess-fence";
    type Params = Route;
    type Output = FenceReport;

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, route: &Route) -> Vec<Call> {
        vec![operations::call(&operations::DESCRIBE_GLOBAL, route, &route.to_region)]
    }

    async fn observe(&self, _cx: &StepCx, _route: &Route) -> Result<Observed<FenceReport>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, route: &Route) -> Result<FenceReport> {
        let global = self.api.global(&route.to_region, &route.global_cluster).await?;
        let writer = global.writer().and_then(|writer| Arn::new(writer.arn.clone()).ok());
        let rung = match (&writer, global.member(&route.to)) {
            (Some(writer), _) if *writer != route.from => FenceRung::AlreadyDemoted,
            (Some(_), Some(_)) => FenceRung::AuroraStorage,
            _ => FenceRung::None,
        };
        if rung != FenceRung::AlreadyDemoted {
            cx.progress(format!("{} may still write if its region still serves: fencing is best effort", route.from));
        }
        Ok(FenceReport { rung, confirmed: rung == FenceRung::AlreadyDemoted, writer })
    }

    async fn compensate(&self, _cx: &StepCx, _route: &Route, _output: Option<&FenceReport>) -> Result<()> {
        Ok(())
    }
}
