use std::{fmt::Debug, sync::Arc};

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{Observed, Reversibility, Step, StepCx};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    plan::Call,
};

/// A [`Step`] as the engine holds it: the same verbs over JSON. Not sealed, so that another language can implement it.
///
/// ```
/// fn kinds(steps: &[std::sync::Arc<dyn dr_core::step::DynStep>]) -> Vec<String> {
///     steps.iter().map(|step| step.kind().to_owned()).collect()
/// }
/// assert!(kinds(&[]).is_empty());
/// ```
#[async_trait]
pub trait DynStep: Debug + Send + Sync + 'static {
    /// [`Step::KIND`].
    fn kind(&self) -> &str;
    /// [`Step::VERSION`].
    fn version(&self) -> u32;
    /// [`Step::reversibility`].
    fn reversibility(&self) -> Reversibility;
    /// [`Step::calls`].
    ///
    /// # Errors
    ///
    /// [`Invalid`](ErrorKind::Invalid) when the parameters are not this step's.
    fn calls(&self, params: &Value) -> Result<Vec<Call>>;
    /// [`Step::before_image`].
    ///
    /// # Errors
    ///
    /// As [`Step::before_image`].
    async fn before_image(&self, cx: &StepCx, params: &Value) -> Result<Option<Value>>;
    /// [`Step::keeps_before_image`].
    fn keeps_before_image(&self) -> Option<bool> {
        None
    }
    /// [`Step::observe`].
    ///
    /// # Errors
    ///
    /// As [`Step::observe`].
    async fn observe(&self, cx: &StepCx, params: &Value) -> Result<Observed<Value>>;
    /// [`Step::execute`].
    ///
    /// # Errors
    ///
    /// As [`Step::execute`].
    async fn execute(&self, cx: &StepCx, params: &Value) -> Result<Value>;
    /// [`Step::verify`].
    ///
    /// # Errors
    ///
    /// As [`Step::verify`].
    async fn verify(&self, cx: &StepCx, params: &Value, output: &Value) -> Result<()>;
    /// [`Step::compensate`].
    ///
    /// # Errors
    ///
    /// As [`Step::compensate`].
    async fn compensate(&self, cx: &StepCx, params: &Value, output: Option<&Value>) -> Result<()>;
}

/// The typed step behind the object the engine holds.
#[derive(Debug)]
struct Erased<S>(S);

/// Makes a typed step into the object that registries and engines hold.
pub fn erase<S: Step>(step: S) -> Arc<dyn DynStep> {
    Arc::new(Erased(step))
}

fn decode<S: Step, T: DeserializeOwned>(what: &str, value: &Value) -> Result<T> {
    T::deserialize(value).map_err(|e| {
        Error::new(ErrorKind::Invalid, format!("{} of {} do not decode: {e}", what, S::KIND))
            .with_effect(Effect::NotApplied)
    })
}

fn encode<S: Step, T: Serialize>(value: &T) -> Result<Value> {
    serde_json::to_value(value).map_err(|e| {
        // The effect has been made by the time that an output is encoded.
        Error::new(ErrorKind::Internal, format!("output of {} does not encode: {e}", S::KIND))
            .with_effect(Effect::Applied)
    })
}

#[async_trait]
impl<S: Step> DynStep for Erased<S> {
    fn kind(&self) -> &str {
        S::KIND
    }

    fn version(&self) -> u32 {
        S::VERSION
    }

    fn reversibility(&self) -> Reversibility {
        self.0.reversibility()
    }

    fn calls(&self, params: &Value) -> Result<Vec<Call>> {
        Ok(self.0.calls(&decode::<S, _>("parameters", params)?))
    }

    async fn before_image(&self, cx: &StepCx, params: &Value) -> Result<Option<Value>> {
        self.0.before_image(cx, &decode::<S, _>("parameters", params)?).await
    }

    fn keeps_before_image(&self) -> Option<bool> {
        self.0.keeps_before_image()
    }

    async fn observe(&self, cx: &StepCx, params: &Value) -> Result<Observed<Value>> {
        Ok(match self.0.observe(cx, &decode::<S, _>("parameters", params)?).await? {
            Observed::NotStarted => Observed::NotStarted,
            Observed::InFlight => Observed::InFlight,
            Observed::Done { output } => Observed::Done { output: encode::<S, _>(&output)? },
            Observed::Blocked { reason } => Observed::Blocked { reason },
        })
    }

    async fn execute(&self, cx: &StepCx, params: &Value) -> Result<Value> {
        encode::<S, _>(&self.0.execute(cx, &decode::<S, _>("parameters", params)?).await?)
    }

    async fn verify(&self, cx: &StepCx, params: &Value, output: &Value) -> Result<()> {
        self.0.verify(cx, &decode::<S, _>("parameters", params)?, &decode::<S, _>("output", output)?).await
    }

    async fn compensate(&self, cx: &StepCx, params: &Value, output: Option<&Value>) -> Result<()> {
        let output = output.map(|output| decode::<S, S::Output>("output", output)).transpose()?;
        self.0.compensate(cx, &decode::<S, _>("parameters", params)?, output.as_ref()).await
    }
}
