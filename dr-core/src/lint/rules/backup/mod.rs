//! Backups: that what a plan restores can be restored.

mod source;
mod volumes;

pub(super) use source::RestoreSource;
pub(super) use volumes::PvCrossRegion;
