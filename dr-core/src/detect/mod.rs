//! Judging: a [`Detector`] turns observations into a [`Verdict`], and explains it.
//!
//! Detectors are pure: they read no clock, do no I/O, and given the same observations say the same. Nothing here acts;
//! a policy between verdict and run does. [`Consecutive`] is one observer's view of one check; [`Quorum`] is what
//! several observers hold of a region, and the only one of the two to act on.

#[cfg(feature = "net")]
mod advice;
mod ballot;
mod bounds;
mod consecutive;
mod damping;
mod detector;
mod gray;
#[cfg(feature = "net")]
mod looks;
#[cfg(feature = "net")]
mod notices;
#[cfg(feature = "net")]
mod observing;
mod policy;
mod quorum;
mod quorums;
pub mod route53;
mod stand;
mod standing;
mod streak;
mod suspicion;
#[cfg(test)]
mod tests;
mod timeline;
mod transition;
#[cfg(feature = "net")]
mod watch;

pub use bounds::{DetectionBounds, detection_bounds, fixed_rate_bounds};
pub use consecutive::Consecutive;
pub use damping::{Damping, Suppression};
pub use detector::{Detector, Verdict};
pub use gray::GrayFailure;
#[cfg(feature = "net")]
pub use observing::observing;
pub use policy::{CheckPolicy, InvalidPolicy, Observer, QuorumPolicy};
pub use quorum::Quorum;
pub use quorums::Quorums;
pub use standing::{Standing, Standings};
pub use suspicion::{Suspicion, phi};
pub use transition::{Evidence, Opinion, Transition, Why};
#[cfg(feature = "net")]
pub use watch::Watch;
