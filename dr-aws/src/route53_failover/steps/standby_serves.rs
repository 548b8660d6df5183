use std::time::Duration;

use async_trait::async_trait;
use dr_core::{
    error::Result,
    model::RegionId,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};

use crate::route53_failover::visit::{Visit, visit};

/// Between two looks.
const EVERY: Duration = Duration::from_secs(5);

/// The region, and what tells that it serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandbyServesParams {
    /// The region that clients are about to be sent to.
    pub region: RegionId,
    /// A URL that answers 2xx when the region serves.
    pub url: String,
}

/// Sees that the target region answers before clients are sent there.
///
/// Never shift to an unhealthy region: with both records unhealthy Route 53 answers the *primary* again, and clients that
/// did move would find nobody.
#[derive(Clone, Copy, Debug, Default)]
pub struct StandbyServes;

#[async_trait]
impl Step for StandbyServes {
    const KIND: &'static str = "aws.route53_failover/target-serves";
    type Params = StandbyServesParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &StandbyServesParams) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &StandbyServesParams) -> Result<Observed<()>> {
        // A look is made each time: that it served a while ago does not say that it serves.
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, params: &StandbyServesParams) -> Result<()> {
        cx.poll_until(EVERY, || async {
            let look = Visit { url: &params.url, body: None, address: None, expect: &[200, 201, 202, 203, 204] };
            match visit(&cx.clock, look).await {
                Ok(reason) => {
                    cx.progress(format!("{} {reason}", params.region));
                    Ok(Some(()))
                }
                Err(error) => {
                    cx.progress(error.to_string());
                    Err(error)
                }
            }
        })
        .await
    }

    async fn compensate(&self, _: &StepCx, _: &StandbyServesParams, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}
