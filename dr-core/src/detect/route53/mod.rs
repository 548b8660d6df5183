//! Route 53's health checks and failover records as pure functions, so that one can be asked what Route 53 would do.
//!
//! It is a model of what the Route 53 developer guide and API reference say, and of nothing else: what they leave open
//! (how long from a flip to the answers) is not in it.

mod ask;
mod check;
mod checker;
mod pair;
mod status;

pub use ask::{Asked, Seen, would_answer};
pub use check::{Check, Checks, Status, Watches};
pub use checker::{Checker, QUORUM_PERCENT, quorum};
pub use pair::{Answer, Answered, Record, Target, answer, takes_primary};
pub use status::{InsufficientData, calculated, effective_status};
