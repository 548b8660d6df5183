use std::{net::IpAddr, time::Duration};

use async_trait::async_trait;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    model::RegionId,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
    time::Timestamp,
};
use serde::{Deserialize, Serialize};

use crate::route53_failover::{
    DnsQuery, RecordType,
    visit::{Visit, visit},
};

/// Between two tries.
const EVERY: Duration = Duration::from_secs(3);

/// The write that proves that clients are served.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfirmWriteParams {
    /// Where to write, through the public name.
    pub url: String,
    /// The body of the POST.
    pub body: String,
    /// The statuses that mean "stored".
    pub expect: Vec<u16>,
    /// The public name.
    pub record: String,
    /// The type asked for.
    pub record_type: RecordType,
    /// The authoritative servers.
    pub name_servers: Vec<String>,
    /// The region that shall serve.
    pub region: RegionId,
}

/// That a write was stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WriteEvidence {
    /// When.
    pub at: Timestamp,
    /// The address that took it.
    pub address: IpAddr,
}

/// Writes as a client would: asks the authority for the public name, and posts to what it answers.
///
/// An API's 200 proves nothing and a green `/health` little; this is the first moment at which the failover is known to
/// have helped anybody.
#[derive(Clone, Copy, Debug, Default)]
pub struct ConfirmWrite;

impl ConfirmWrite {
    async fn try_once(cx: &StepCx, params: &ConfirmWriteParams) -> Result<WriteEvidence> {
        let server = params
            .name_servers
            .first()
            .ok_or_else(|| Error::new(ErrorKind::Invalid, "no name server is given").with_effect(Effect::NotApplied))?;
        let query = DnsQuery { server: server.clone(), name: params.record.clone(), record_type: params.record_type };
        let answer = query.ask(&*cx.clock).await?;
        let address = answer.addresses.first().copied().ok_or_else(|| {
            Error::new(ErrorKind::Unavailable, format!("{} has no address", params.record))
                .with_effect(Effect::NotApplied)
        })?;
        let write =
            Visit { url: &params.url, body: Some(&params.body), address: Some(address), expect: &params.expect };
        let reason = visit(&cx.clock, write).await?;
        cx.progress(format!("{address} {reason}"));
        Ok(WriteEvidence { at: cx.clock.wall(), address })
    }
}

#[async_trait]
impl Step for ConfirmWrite {
    const KIND: &'static str = "aws.route53_failover/confirm-write";
    type Params = ConfirmWriteParams;
    type Output = WriteEvidence;

    fn reversibility(&self) -> Reversibility {
        // The synthetic order stays; it is marked as one by its body and takes nothing back from anybody.
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &ConfirmWriteParams) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &ConfirmWriteParams) -> Result<Observed<WriteEvidence>> {
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, params: &ConfirmWriteParams) -> Result<WriteEvidence> {
        cx.poll_until(EVERY, || async {
            let tried = Self::try_once(cx, params).await;
            if let Err(error) = &tried {
                cx.progress(error.to_string());
            }
            tried.map(Some)
        })
        .await
    }

    async fn compensate(&self, _: &StepCx, _: &ConfirmWriteParams, _: Option<&WriteEvidence>) -> Result<()> {
        Ok(())
    }
}
