use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde_json::{Value, json};

use super::SwitchParams;
use crate::Clients;

/// Removes the object, so that the primary's inverted check turns healthy and Route 53 answers the primary again.
///
/// This is the explicit failback that the latch waits for: nothing but this step, or a person, removes the object.
#[derive(Clone, Debug)]
pub struct ReleaseSwitch {
    clients: Clients,
}

impl ReleaseSwitch {
    /// The step, acting through these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }
}

#[async_trait]
impl Step for ReleaseSwitch {
    const KIND: &'static str = "aws.route53_failover/release-switch";
    type Params = SwitchParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &SwitchParams) -> Vec<Call> {
        let switch = params.switch();
        vec![switch.call("s3:GetObject", "get-object", false), switch.call("s3:DeleteObject", "delete-object", true)]
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, params: &SwitchParams) -> Result<Option<Value>> {
        Ok(Some(json!({ "object": params.switch().read(&self.clients, &*cx.clock).await? })))
    }

    async fn observe(&self, cx: &StepCx, params: &SwitchParams) -> Result<Observed<()>> {
        Ok(match params.switch().read(&self.clients, &*cx.clock).await? {
            Some(_) => Observed::NotStarted,
            None => Observed::Done { output: () },
        })
    }

    async fn execute(&self, cx: &StepCx, params: &SwitchParams) -> Result<()> {
        params.switch().delete(&self.clients, &*cx.clock).await?;
        cx.progress(format!("{} is gone", params.switch().uri()));
        Ok(())
    }

    async fn verify(&self, cx: &StepCx, params: &SwitchParams, (): &()) -> Result<()> {
        match params.switch().read(&self.clients, &*cx.clock).await? {
            None => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::PostconditionFailed,
                format!("{} was deleted and is still there", params.switch().uri()),
            )),
        }
    }

    async fn compensate(&self, cx: &StepCx, params: &SwitchParams, _: Option<&()>) -> Result<()> {
        match cx.before().and_then(|before| before.get("object")).and_then(Value::as_str) {
            Some(text) => params.switch().put(&self.clients, &*cx.clock, text).await,
            None => Ok(()),
        }
    }
}
