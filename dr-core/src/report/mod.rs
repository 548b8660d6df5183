//! What a drill was, for somebody who was not there.
//!
//! A [`DrillReport`] is plain data: one or more runs on one axis of time, what clients felt meanwhile, what was measured
//! beside what was asked for and what the runbook promised. Rendering is pure: [`DrillReport::markdown`] for a pull
//! request, [`DrillReport::html`] for a browser, one file without anything from outside. Times are the world's, in
//! seconds since the fault (T+0).

mod clients;
mod comparison;
mod critical_path;
mod drill;
#[cfg(test)]
mod fixture;
mod fold;
mod html;
mod markdown;
mod measured;
mod moment;
mod offset;
mod promise;
mod run;
mod story;
mod table;
#[cfg(test)]
mod tests;

pub use clients::{ClientSeries, Outage};
pub use comparison::Compared;
pub use critical_path::{Span, critical_path};
pub use drill::{DrillReport, FaultReport};
pub(crate) use html::Text;
pub use measured::Measured;
pub use moment::{Moment, MomentKind};
pub use offset::{Offset, spoken};
pub use promise::Promise;
pub use run::{RunReport, StepOutcome, StepReport};
