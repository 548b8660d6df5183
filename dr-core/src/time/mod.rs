//! Time as the project sees it: a [`Clock`] that can be real, scaled or driven by a test.
//!
//! No decision reads wall time; wall time is for people. Everything that waits or measures does it
//! through a [`Clock`], so that a drill can run twenty times faster than its world and a test can
//! run on virtual time. This folder is the only place that may touch the operating system's clocks
//! (`clippy.toml` bans them elsewhere).

mod clock;
mod deadline;
mod manual;
mod scaled;
mod system;

pub use clock::{Clock, Monotonic, SharedClock, Timestamp};
pub use deadline::{Elapsed, timeout};
pub use manual::ManualClock;
pub use scaled::ScaledClock;
pub use system::SystemClock;
