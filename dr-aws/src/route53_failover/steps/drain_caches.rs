use async_trait::async_trait;
use dr_core::{
    error::Result,
    plan::{Arg, Call},
    step::{Observed, Reversibility, Step, StepCx},
};
use serde::{Deserialize, Serialize};

use super::AnswerEvidence;

/// The answer whose predecessor is still in resolvers' caches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DrainCachesParams {
    /// What the authority answers now, and how long the old answer lives.
    pub answer: Arg<AnswerEvidence>,
}

/// Waits until resolvers have forgotten the old answer, so that the region that was left keeps its size while clients
/// still come to it.
///
/// The wait is one time to live from the step's start, which is after the flip: resolvers that honour it have asked again
/// by then. Some clamp it upwards or serve stale answers (RFC 8767), and the restored size must carry those few.
#[derive(Clone, Copy, Debug, Default)]
pub struct DrainCaches;

#[async_trait]
impl Step for DrainCaches {
    const KIND: &'static str = "aws.route53_failover/drain-caches";
    type Params = DrainCachesParams;
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &DrainCachesParams) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &DrainCachesParams) -> Result<Observed<()>> {
        // Waiting leaves no trace: an engine that takes the run up waits the whole time again, which is safe.
        Ok(Observed::NotStarted)
    }

    async fn execute(&self, cx: &StepCx, params: &DrainCachesParams) -> Result<()> {
        let ttl = params.answer.get()?.ttl;
        cx.progress(format!("old answers live for {} s", ttl.as_secs()));
        cx.wait(ttl).await
    }

    async fn compensate(&self, _: &StepCx, _: &DrainCachesParams, _: Option<&()>) -> Result<()> {
        Ok(())
    }
}
