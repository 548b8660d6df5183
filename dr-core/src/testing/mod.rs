//! What the crates' doubles share: one [`FaultBoard`] to break a world with, and one [`EffectLog`] to count what was done to it.
//!
//! `dr-aws::testing` and `dr-k8s::testing` never see each other; a test (or the lab) makes one board
//! and gives it to both, so that losing a region takes its API, its cluster and its application with it.

mod board;
mod effect_log;
mod fault;

pub use board::{CallSite, FaultBoard, FaultRule, RuleId};
pub use effect_log::{EffectLog, EffectRecord};
pub use fault::Fault;
