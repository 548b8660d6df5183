use async_trait::async_trait;

use crate::{
    error::Result,
    plan::Call,
    step::{Observed, Reversibility, Step, StepCx},
};

/// The last step of a run that warms the standby: it does nothing. Its gate is what holds the run open until the verdict
/// falls. Approved, the standby stays as it is; refused, or unanswered for too long, the run takes back what it did.
#[derive(Clone, Copy, Debug, Default)]
pub struct KeepWarm;

#[async_trait]
impl Step for KeepWarm {
    const KIND: &'static str = "dr.prewarm/keep";
    type Params = ();
    type Output = ();

    fn reversibility(&self) -> Reversibility {
        Reversibility::ReadOnly
    }

    fn calls(&self, _: &()) -> Vec<Call> {
        Vec::new()
    }

    async fn observe(&self, _: &StepCx, _: &()) -> Result<Observed<()>> {
        Ok(Observed::Done { output: () })
    }

    async fn execute(&self, _: &StepCx, _: &()) -> Result<()> {
        Ok(())
    }

    async fn compensate(&self, _: &StepCx, _: &(), _: Option<&()>) -> Result<()> {
        Ok(())
    }
}
