//! The lab.
pub mod admin;
pub mod audit;
pub mod checkers;
pub mod clients;
pub mod control;
pub mod dns;
pub mod endpoints;
pub mod front;
pub mod orders;
pub mod platform;
pub mod preset;
pub mod state;
mod wire;

pub use admin::LabClient;
pub use control::{LabControl, Mark};
pub use endpoints::{Endpoints, RegionEndpoints};
pub use preset::{FaultPreset, FaultRequest};
pub use state::StackState;
