use std::fmt;

use serde::{Deserialize, Serialize};

use super::Transition;
use crate::{probe::Observation, time::Monotonic};

/// What is held to be true of a region.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It serves.
    Healthy,
    /// It serves in part: some checks fail and others of their kind pass.
    Degraded,
    /// Its kinds of check disagree: writes fail while infrastructure checks pass, or the other way round.
    Gray,
    /// There is evidence against it, not enough to act on.
    Suspect,
    /// It does not serve: enough independent observers agree, for long enough.
    Unhealthy,
    /// Too few observers can see it. Never a reason to act.
    #[default]
    Unknown,
}

impl Verdict {
    /// The name, as reports and the command line write it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Gray => "gray",
            Self::Suspect => "suspect",
            Self::Unhealthy => "unhealthy",
            Self::Unknown => "unknown",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A pure state machine from observations to a verdict.
///
/// Time reaches it as data only: through the moment of each observation, and through [`tick`](Self::tick), which
/// lets dwell, hold-down and staleness pass when nothing is observed. Time that goes back is ignored.
///
/// ```
/// use dr_core::{
///     detect::{Detector, Transition, Verdict},
///     probe::Observation,
///     time::Monotonic,
/// };
///
/// /// Believes whatever it hears last. Do not let it act.
/// #[derive(Debug, Default)]
/// struct Gullible(Verdict);
///
/// impl Detector for Gullible {
///     fn observe(&mut self, o: Observation) -> Option<Transition> {
///         let to = match o.outcome.reading() {
///             Some(reading) if reading.is_healthy() => Verdict::Healthy,
///             Some(_) => Verdict::Unhealthy,
///             None => Verdict::Unknown, // could not look: never unhealthy
///         };
///         let from = std::mem::replace(&mut self.0, to);
///         (from != to).then(|| Transition::of_one(from, to, &o))
///     }
///     fn tick(&mut self, _now: Monotonic) -> Option<Transition> { None }
///     fn verdict(&self) -> Verdict { self.0 }
/// }
/// assert_eq!(Gullible::default().verdict(), Verdict::Unknown);
/// ```
pub trait Detector: fmt::Debug + Send {
    /// Takes one observation in, and says whether the verdict changed.
    fn observe(&mut self, o: Observation) -> Option<Transition>;

    /// Lets time pass up to `now`, and says whether the verdict changed.
    fn tick(&mut self, now: Monotonic) -> Option<Transition>;

    /// The verdict as it stands.
    fn verdict(&self) -> Verdict;
}

const _: Option<&dyn Detector> = None; // object safe
