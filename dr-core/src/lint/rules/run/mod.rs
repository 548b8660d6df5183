//! The run itself: who carries it out, how long it takes, and whether it can be taken back.

mod before_image;
mod budget;
mod executor;
mod failback;
mod observers;
mod unbounded;

pub(super) use before_image::NoBeforeImage;
pub(super) use budget::RtoBudget;
pub(super) use executor::ExecutorInFailedRegion;
pub(super) use failback::AutoFailback;
pub(super) use observers::ObserverQuorum;
pub(super) use unbounded::UnboundedStep;
