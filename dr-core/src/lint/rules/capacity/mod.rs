//! Capacity: that the target region can carry everything, and that nobody takes it away again.

mod autoscaler;
mod images;
mod room;

pub(super) use autoscaler::{HpaOwnerConflict, HpaZero};
pub(super) use images::ImageMissing;
pub(super) use room::CapacityNotReserved;
