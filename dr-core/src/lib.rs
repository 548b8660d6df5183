//! Regional failover as a library.
//!
//! Data moves one way: `dr.yaml` → [`spec`] → topology → [`planner`] → [`plan`] → [`lint`] → [`engine`] ⇄ [`journal`],
//! with [`probe`] and [`detect`] beside it and [`report`] at the end. Only probes, steps and journals do I/O.

pub mod detect;
pub mod error;
pub mod model;
pub mod probe;
pub mod spec;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod topology;
