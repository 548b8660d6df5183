//! Judging: a [`Detector`] turns observations into a [`Verdict`], and explains it.
//!
//! Detectors are pure: they read no clock, do no I/O, and given the same observations say the same. Nothing here acts;
//! a policy between verdict and run does.

mod detector;
mod transition;

pub use detector::{Detector, Verdict};
pub use transition::{Evidence, Opinion, Transition, Why};
