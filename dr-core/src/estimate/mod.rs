//! What a plan may be expected to take: a Monte Carlo of the whole way from the fault to the last client.
//!
//! A [`Model`] says everything that a prediction depends on, in one file that a person can read and change; nothing is
//! drawn from anywhere else. [`Model::of`] makes it from `dr.yaml` and a plan. One drill of it goes like this, with every
//! quantity drawn from the model's distributions and every moment counted from the fault:
//!
//! 1. **Detection.** Each observer's next look at each probe comes a random part of an interval after the fault, and then
//!    one an interval. A look at a lost region ends at once (refused) or at its timeout (black hole). An observer holds
//!    the region lost when `trip` looks of every probe in a row have failed; a quorum of observers, one of them outside the
//!    regions concerned, must have held so for `dwell`, and the verdict falls at the decider's next look at its clock.
//! 2. **Decision.** A person, or nobody.
//! 3. **Run.** The plan's steps, each when all it waits for has ended. An attempt that fails or outlasts its timeout is
//!    made again after the engine's own pause, as often as the plan says; then the run waits for a person, and the drill
//!    counts as not recovered. So does one whose run outlasts the plan's deadline.
//! 4. **Names.** When the last step that moves traffic has ended, the authority answers with the new region, after
//!    `publish`. Each client's resolver keeps the old answer for the rest of its TTL, and some for longer.
//! 5. **Clients.** Each then connects anew after `reconnect`. The recovery time is when `served` of them are.
//!
//! The recovery point is the replication lag at the fault; unknown when the model has none, never zero.
//!
//! Two engines carry a model out: [`predict`], an event queue, at some microseconds a drill; and [`on_paused_time`], which runs
//! each drill through the real [`Quorum`](crate::detect::Quorum) and the real [`Engine`](crate::engine::Engine) on a clock that jumps from
//! event to event. Both draw the same numbers, and give the same times.

mod check;
mod compile;
mod curve;
mod derive;
mod detection;
mod distribution;
mod draw;
mod model;
mod paused;
mod percentiles;
mod predict;
mod prediction;
mod queue;
#[cfg(test)]
mod tests;
mod text;
mod what_if;

pub use check::InvalidModel;
pub use curve::to_svg;
pub use distribution::Distribution;
pub use model::{
    ClientModel, DetectionModel, Model, ObserverModel, Overstay, ProbeModel, ReplicationModel, StepModel, Symptom,
    TrafficModel,
};
pub use paused::on_paused_time;
pub use percentiles::Percentiles;
pub use predict::predict;
pub use prediction::{Prediction, Share, Stages, StepShare};
pub use text::{Comparison, to_text};
pub use what_if::{InvalidWhatIf, WhatIf};
