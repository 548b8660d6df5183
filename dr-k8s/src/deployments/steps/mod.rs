//! The steps: scale up through the owner, wait until ready, put back what was.

mod await_ready;
mod restore;
mod scale_up;

pub use await_ready::{AwaitReady, AwaitReadyParams, ReadyEvidence};
pub use restore::{Restore, RestoreParams};
pub use scale_up::{ScaleUp, ScaleUpParams};
