use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::{Plane, RegionId},
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{Clients, classify};

/// Where Route 53's API lives (AWS Fault Isolation Boundaries, "Global services").
const API: &str = "us-east-1";

/// The check, and how it shall be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvertCheckParams {
    /// The check that is bound to the primary record.
    pub health_check_id: String,
    /// `Disabled` in the API: the check counts as healthy, whatever the checkers see.
    pub disabled: bool,
    /// `Inverted` in the API: healthy counts as unhealthy. With `disabled`, the check is unhealthy for certain.
    pub inverted: bool,
}

/// How a check was set before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckImage {
    /// `Disabled` in the API.
    pub disabled: bool,
    /// `Inverted` in the API.
    pub inverted: bool,
}

/// Sets the primary's check through Route 53's API: for rehearsals with us-east-1 healthy, never for leaving it.
///
/// `Disabled` alone would do the opposite of what many a runbook expects of it: "Route 53 considers the status of the
/// health check to always be healthy" (API reference, `UpdateHealthCheck`). Only `Disabled` with `Inverted` is unhealthy
/// for certain.
#[derive(Clone, Debug)]
pub struct InvertCheck {
    clients: Clients,
    api: RegionId,
}

impl InvertCheck {
    /// The step, acting through these clients.
    ///
    /// # Errors
    ///
    /// Never in practice: the name of the API's region is a literal.
    pub fn new(clients: Clients) -> Result<Self> {
        let api = RegionId::new(API).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        Ok(Self { clients, api })
    }

    async fn read(&self, id: &str) -> Result<(CheckImage, i64)> {
        let reply = self.clients.for_reads(&self.api).route53().get_health_check().health_check_id(id).send().await;
        let reply = reply.map_err(|e| classify("route53:GetHealthCheck", e).with_effect(Effect::NotApplied))?;
        let unreadable = || Error::new(ErrorKind::Invalid, format!("{id} came without its configuration"));
        let check = reply.health_check().ok_or_else(unreadable)?;
        let config = check.health_check_config().ok_or_else(unreadable)?;
        let image =
            CheckImage { disabled: config.disabled().unwrap_or(false), inverted: config.inverted().unwrap_or(false) };
        Ok((image, check.health_check_version()))
    }

    async fn write(&self, id: &str, image: CheckImage) -> Result<()> {
        // The version makes the write conditional: somebody else's change in between is a conflict, not an overwrite.
        let (_, version) = self.read(id).await?;
        let call = self.clients.for_writes(&self.api).route53().update_health_check().health_check_id(id);
        let call = call.health_check_version(version).disabled(image.disabled).inverted(image.inverted);
        call.send().await.map_err(|e| classify("route53:UpdateHealthCheck", e))?;
        Ok(())
    }
}

#[async_trait]
impl Step for InvertCheck {
    const KIND: &'static str = "aws.route53_failover/invert-check";
    type Params = InvertCheckParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &InvertCheckParams) -> Vec<Call> {
        let call = |operation: &'static str, mutates, manual: String| Call {
            operation: operation.into(),
            plane: Plane::Control,
            endpoints: vec![self.api.clone()],
            mutates,
            args: std::collections::BTreeMap::new(),
            manual,
        };
        let id = &params.health_check_id;
        let flag = |name: &str, on: bool| format!("--{}{name}", if on { "" } else { "no-" });
        let (disabled, inverted) = (flag("disabled", params.disabled), flag("inverted", params.inverted));
        vec![
            call("route53:GetHealthCheck", false, format!("aws route53 get-health-check --health-check-id {id}")),
            call(
                "route53:UpdateHealthCheck",
                true,
                format!("aws route53 update-health-check --health-check-id {id} {disabled} {inverted}"),
            )
            .arg("HealthCheckId", id.clone())
            .arg("Disabled", params.disabled)
            .arg("Inverted", params.inverted),
        ]
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, _: &StepCx, params: &InvertCheckParams) -> Result<Option<Value>> {
        let (image, _) = self.read(&params.health_check_id).await?;
        let image = serde_json::to_value(image).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))?;
        Ok(Some(image))
    }

    async fn observe(&self, _: &StepCx, params: &InvertCheckParams) -> Result<Observed<()>> {
        let (image, _) = self.read(&params.health_check_id).await?;
        let wanted = CheckImage { disabled: params.disabled, inverted: params.inverted };
        Ok(if image == wanted { Observed::Done { output: () } } else { Observed::NotStarted })
    }

    async fn execute(&self, _: &StepCx, params: &InvertCheckParams) -> Result<()> {
        let wanted = CheckImage { disabled: params.disabled, inverted: params.inverted };
        self.write(&params.health_check_id, wanted).await
    }

    async fn compensate(&self, cx: &StepCx, params: &InvertCheckParams, _: Option<&()>) -> Result<()> {
        // The value that stood there, not the opposite flag: an inverted check may have been inverted before.
        match cx.before().cloned().map(serde_json::from_value::<CheckImage>) {
            Some(Ok(image)) if self.read(&params.health_check_id).await?.0 != image => {
                self.write(&params.health_check_id, image).await
            }
            Some(Ok(_)) | None => Ok(()),
            Some(Err(e)) => Err(Error::new(ErrorKind::Invalid, format!("the before-image does not decode: {e}"))
                .with_effect(Effect::NotApplied)),
        }
    }
}
