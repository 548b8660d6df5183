//! Running other programs: with a live line, a log, and the output at hand when it fails.

mod failure;
mod halt;
mod priority;
mod process;
mod progress;
mod stopwatch;

pub(crate) use failure::Failure;
pub(crate) use halt::Halt;
pub(crate) use priority::Priority;
pub(crate) use process::{Finished, capture, pass_on, watch};
pub(crate) use progress::Progress;
pub(crate) use stopwatch::{Stopwatch, human};
