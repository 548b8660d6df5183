use std::fmt::Debug;

use async_trait::async_trait;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::StepCx;
use crate::{error::Result, plan::Call};

/// Whether a step can be taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reversibility {
    /// It changes nothing.
    ReadOnly,
    /// `compensate` restores what was before, exactly.
    Reversible,
    /// Nothing restores it; an approval or a named waiver stands before it.
    Irreversible,
}

/// What a look at the world says of a step's effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "observed", rename_all = "kebab-case")]
pub enum Observed<O> {
    /// The effect is not there and nobody is making it.
    NotStarted,
    /// The effect is being made: wait, do not ask again for it.
    InFlight,
    /// The effect is there.
    Done {
        /// What `execute` would have returned.
        output: O,
    },
    /// The effect cannot be made as things are.
    Blocked {
        /// Why, for a person.
        reason: String,
    },
}

/// One verb of a plan, as its author writes it.
///
/// The engine calls `observe` first, always: on resume and after an error of indefinite effect it asks the world,
/// not the log. `execute` asks for the effect and waits for it; `verify` looks for it with other eyes
/// (a write that persists, replicas available, a DNS answer), because an API's 200 proves nothing.
///
/// ```
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use async_trait::async_trait;
/// use dr_core::{error::Result, plan::Call, step::{Observed, Reversibility, Step, StepCx}};
///
/// #[derive(Debug)]
/// struct LightSwitch(AtomicBool);
///
/// #[async_trait]
/// impl Step for LightSwitch {
///     const KIND: &'static str = "example.light_on";
///     type Params = ();
///     type Output = ();
///     fn reversibility(&self) -> Reversibility { Reversibility::Reversible }
///     fn calls(&self, _: &()) -> Vec<Call> { Vec::new() }
///     async fn observe(&self, _: &StepCx, _: &()) -> Result<Observed<()>> {
///         Ok(if self.0.load(Ordering::SeqCst) { Observed::Done { output: () } } else { Observed::NotStarted })
///     }
///     async fn execute(&self, _: &StepCx, _: &()) -> Result<()> {
///         self.0.store(true, Ordering::SeqCst);
///         Ok(())
///     }
///     async fn compensate(&self, _: &StepCx, _: &(), _: Option<&()>) -> Result<()> {
///         self.0.store(false, Ordering::SeqCst);
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Step: Debug + Send + Sync + 'static {
    /// The name of the verb, `<resource kind>/<verb>`: `aws.aurora_global/promote`. Stored in plans and journals.
    const KIND: &'static str;
    /// Grows when stored parameters change their meaning.
    const VERSION: u32 = 1;
    /// What the step needs to know; stored in the plan, so never a secret.
    type Params: Serialize + DeserializeOwned + Send + Sync;
    /// What it found out; stored in the journal and usable by later steps.
    type Output: Serialize + DeserializeOwned + Send + Sync;

    /// Whether the step can be taken back.
    fn reversibility(&self) -> Reversibility;

    /// Every remote call that the step may make, for lint, permissions and the manual path of the runbook.
    fn calls(&self, params: &Self::Params) -> Vec<Call>;

    /// What `compensate` and a later failback will need to put back exactly; journalled before the first attempt.
    ///
    /// # Errors
    ///
    /// When the world cannot be read: a mutation without a before-image is not begun.
    async fn before_image(&self, _cx: &StepCx, _params: &Self::Params) -> Result<Option<serde_json::Value>> {
        Ok(None)
    }

    /// Whether [`before_image`](Self::before_image) gives an image; `None` when the author does not say. Stored in the
    /// plan, so that lint can ask before anything runs what a failback would restore from.
    fn keeps_before_image(&self) -> Option<bool> {
        None
    }

    /// Looks whether the effect is there.
    ///
    /// # Errors
    ///
    /// When the world cannot be read.
    async fn observe(&self, cx: &StepCx, params: &Self::Params) -> Result<Observed<Self::Output>>;

    /// Makes the effect and waits until it is there. Called only after `observe` said `NotStarted`.
    ///
    /// # Errors
    ///
    /// Each says by its [`effect`](crate::error::Error::effect) whether the world may have changed.
    async fn execute(&self, cx: &StepCx, params: &Self::Params) -> Result<Self::Output>;

    /// Proves the effect independently of the API that made it.
    ///
    /// # Errors
    ///
    /// [`PostconditionFailed`](crate::error::ErrorKind::PostconditionFailed) when the effect is not there.
    async fn verify(&self, _cx: &StepCx, _params: &Self::Params, _output: &Self::Output) -> Result<()> {
        Ok(())
    }

    /// Takes the effect back, from [`StepCx::before`]; must be safe to call when the effect was never made.
    ///
    /// # Errors
    ///
    /// [`Unsupported`](crate::error::ErrorKind::Unsupported) for an irreversible step.
    async fn compensate(&self, cx: &StepCx, params: &Self::Params, output: Option<&Self::Output>) -> Result<()>;
}
