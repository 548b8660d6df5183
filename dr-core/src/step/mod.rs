//! Steps: the verbs that a plan is made of, and the only place where a plan touches the world.
//!
//! An author implements [`Step`] with typed parameters and output; the engine sees [`DynStep`], the same verbs
//! over JSON, so that a plan can be stored, resumed on another machine, or written in Python.

mod context;
mod erased;
mod mode_switch;
mod registry;
mod rpo;
mod step;

pub use context::{ProgressSink, StepCx};
pub use erased::{DynStep, erase};
pub use mode_switch::ModeSwitch;
pub use registry::{DuplicateStep, StepRegistry};
pub use rpo::{LagSample, RpoEvidence};
pub use step::{Observed, Reversibility, Step};
pub use tokio_util::sync::CancellationToken;
