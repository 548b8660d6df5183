//! Looking: a [`HealthProbe`] looks at one thing from one place and says what it saw.
//!
//! A probe that looked gives a [`Reading`], healthy or not. A probe that could not look gives an error, and an error
//! is never a vote against the region. The sampler runs probes at a fixed rate and hands [`Observation`]s to
//! [`crate::detect`].

mod health_probe;
mod observation;
mod reading;
mod spoken;

pub use health_probe::{HealthProbe, ProbeCx};
pub use observation::{CheckKind, Observation, Outcome, Subject};
pub use reading::{Health, Latency, Reading};
pub(crate) use spoken::Spoken;
