//! The real engine on virtual time, against a world that goes wrong by seed.
//!
//! A seed decides a [scenario](Simulated): a plan, the engines that run it (up to three at once), the faults of a world of
//! regions, of the machines and of the journal's store, and what an operator wants. The engine, its journal protocol and
//! its leases are the real ones; time passes only when nothing else can happen, so that an hour takes a millisecond. The
//! same seed does the same thing, byte for byte. When everything has ended, [invariants](Invariant) are checked over what
//! happened in the world and what the journal says.
//!
//! ```
//! use dr_core::sim::{VirtualTime, simulate};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let time = VirtualTime::new()?;
//! let run = simulate(&time, 42)?;
//! assert!(run.violations().is_empty(), "{}", run.story());
//! assert_eq!(run.log(), simulate(&time, 42)?.log());
//! # Ok(())
//! # }
//! ```
//!
//! Steps of your own run on virtual time too: give an [`Engine`](crate::engine::Engine) a
//! [`ManualClock`](crate::time::ManualClock) and let [`VirtualTime::run`] make its time pass.

mod cell;
mod dice;
mod generate;
mod history;
mod invariant;
mod machine;
mod mutant;
mod operator;
mod play;
mod resume;
mod scenario;
mod script;
mod shrink;
mod simulated;
mod store;
mod story;
#[cfg(test)]
mod tests;
mod verbs;
mod virtual_time;
mod world;

pub use invariant::{Invariant, Violation};
pub use mutant::Mutant;
pub use simulated::{Simulated, simulate, simulate_mutant};
pub use virtual_time::{Stuck, VirtualTime};
