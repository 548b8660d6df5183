use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};

use super::SwitchParams;
use crate::Clients;

/// Sees that the switch is still thrown after clients have moved: the latch that keeps traffic from going back by itself
/// when the failed region's own checks turn green.
///
/// Without a latch Route 53 would answer the primary as soon as its endpoint passes its checks again, and lead clients to
/// a database that is no longer the writer.
#[derive(Clone, Debug)]
pub struct HoldLatch {
    clients: Clients,
}

impl HoldLatch {
    /// The step, looking through these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }
}

#[async_trait]
impl Step for HoldLatch {
    const KIND: &'static str = "aws.route53_failover/hold-latch";
    type Params = SwitchParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, params: &SwitchParams) -> Vec<Call> {
        vec![params.switch().call("s3:GetObject", "get-object", false).arg("Latch", true)]
    }

    async fn observe(&self, _: &StepCx, _: &SwitchParams) -> Result<Observed<()>> {
        // A look is made each time: that it held a while ago does not say that it holds.
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, params: &SwitchParams) -> Result<()> {
        match params.switch().read(&self.clients, &*cx.clock).await? {
            Some(_) => {
                cx.progress(format!("{} holds traffic until a failback removes it", params.switch().uri()));
                Ok(())
            }
            None => Err(Error::new(
                ErrorKind::PostconditionFailed,
                format!("{} is gone: nothing keeps traffic from returning by itself", params.switch().uri()),
            )),
        }
    }

    async fn compensate(&self, _: &StepCx, _: &SwitchParams, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}
