use async_trait::async_trait;
use dr_core::{
    error::{Error, ErrorKind, Result},
    model::RegionId,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Clients, route53_failover::switch::Switch};

/// The object that a switch step acts on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchParams {
    /// The region of the bucket: the standby's.
    pub region: RegionId,
    /// The bucket.
    pub bucket: String,
    /// The key.
    pub key: String,
    /// The name that moves, for the object's text.
    pub record: String,
}

impl SwitchParams {
    pub(super) fn switch(&self) -> Switch {
        Switch { region: self.region.clone(), bucket: self.bucket.clone(), key: self.key.clone() }
    }
}

/// Makes the object, so that the primary's inverted check turns unhealthy and Route 53 answers the secondary.
///
/// Needs S3's data plane in the standby region and nothing else.
#[derive(Clone, Debug)]
pub struct ThrowSwitch {
    clients: Clients,
}

impl ThrowSwitch {
    /// The step, acting through these clients.
    #[must_use]
    pub fn new(clients: Clients) -> Self {
        Self { clients }
    }
}

#[async_trait]
impl Step for ThrowSwitch {
    const KIND: &'static str = "aws.route53_failover/throw-switch";
    type Params = SwitchParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::Reversible
    }

    fn calls(&self, params: &SwitchParams) -> Vec<Call> {
        let switch = params.switch();
        vec![switch.call("s3:GetObject", "get-object", false), switch.call("s3:PutObject", "put-object --body -", true)]
    }

    fn keeps_before_image(&self) -> Option<bool> {
        Some(true)
    }

    async fn before_image(&self, cx: &StepCx, params: &SwitchParams) -> Result<Option<Value>> {
        Ok(Some(json!({ "object": params.switch().read(&self.clients, &*cx.clock).await? })))
    }

    async fn observe(&self, cx: &StepCx, params: &SwitchParams) -> Result<Observed<()>> {
        Ok(match params.switch().read(&self.clients, &*cx.clock).await? {
            Some(_) => Observed::Done { output: () },
            None => Observed::NotStarted,
        })
    }

    async fn execute(&self, cx: &StepCx, params: &SwitchParams) -> Result<()> {
        // What a person finds who asks why traffic is in the standby region.
        let text = json!({
            "record": params.record,
            "moved_by": "dr",
            "run": cx.run,
            "epoch": cx.epoch,
            "at": cx.clock.wall(),
        });
        params.switch().put(&self.clients, &*cx.clock, &text.to_string()).await?;
        cx.progress(format!("{} is there", params.switch().uri()));
        Ok(())
    }

    async fn verify(&self, cx: &StepCx, params: &SwitchParams, (): &()) -> Result<()> {
        match params.switch().read(&self.clients, &*cx.clock).await? {
            Some(_) => Ok(()),
            None => Err(Error::new(
                ErrorKind::PostconditionFailed,
                format!("{} was accepted and is not there", params.switch().uri()),
            )),
        }
    }

    async fn compensate(&self, cx: &StepCx, params: &SwitchParams, _: Option<&()>) -> Result<()> {
        let was = cx.before().and_then(|before| before.get("object")).and_then(Value::as_str);
        match was {
            Some(text) => params.switch().put(&self.clients, &*cx.clock, text).await,
            None => params.switch().delete(&self.clients, &*cx.clock).await,
        }
    }
}
