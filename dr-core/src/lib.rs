//! Regional failover as a library.
//!
//! Data moves one way, and each stage reads the one before it:
//!
//! ```text
//! dr.yaml ─► Spec ─► Topology ─► Planner ─► Plan ─► lint ─► Engine ◄─► Journal
//!                       │                                      │
//!                    Probes ─► Detector ─► Verdict ────────────┤
//!                       │                                      ▼
//!                  Validations ─► Findings ────────────────► Report
//! ```
//!
//! Only probes, steps and journals do I/O; everything between the arrows is plain, serialisable data.

pub mod decision;
pub mod detect;
pub mod driver;
pub mod engine;
pub mod error;
pub mod estimate;
pub mod event;
pub mod journal;
pub mod lint;
pub mod model;
pub mod plan;
pub mod planner;
pub mod probe;
pub mod report;
#[cfg(feature = "sim")]
pub mod sim;
pub mod spec;
pub mod step;
#[cfg(feature = "testing")]
pub mod testing;
pub mod time;
pub mod topology;
pub mod validation;
