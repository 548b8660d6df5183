//! Running probes at a fixed rate: the [`Sampler`] and what it keeps of each target.
//!
//! One task holds the timetable, the slots and the watchdog; each look is a task of its own. All that decides is plain
//! data with the time handed in: [`timetable`] says whose turn it is, [`slots`] who may look at once, [`watchdog`] whether
//! this process itself stood still. [`schedule`] is the loop around them.

mod outbox;
mod sampler;
mod schedule;
mod slots;
mod target;
#[cfg(test)]
mod tests;
mod timetable;
mod watchdog;
mod window;
mod windows;

pub use sampler::Sampler;
pub use window::{Sample, SampleWindow, Seen};
pub use windows::{SampleWindows, Tally};
