//! The lab: an e-commerce platform in two regions and a witness, on the project's doubles, to lose a region of for real.
//!
//! Everything speaks over sockets, each region on a loopback address of its own (127.0.1.1, 127.0.2.1, 127.0.3.1):
//!
//! - [`front`]: the application, which stores orders where the database writes, and serves as much as its ready replicas carry;
//! - [`orders`]: a volume per region, replicated asynchronously with the lag that the metrics report;
//! - [`dns`] and [`checkers`]: Route 53's data plane, which goes on when its API is gone;
//! - [`clients`]: a population that resolves, writes, reads back, and keeps a ledger; [`audit`] holds it against what survived;
//! - [`admin`]: all of it over HTTP, for a drill in another process.
//! - [`config`]: `dr.yaml` as the programs beside the lab read it, for a lab or for a real platform.
//! - [`signing_key`]: the private key that they sign with.
//!
//! [`Lab::builder`] starts one in this process; `cargo run --bin lab` starts one to work with by hand. [`LabControl`] is
//! what a drill asks of either.

pub mod admin;
pub mod audit;
mod builder;
pub mod checkers;
pub mod clients;
pub mod config;
pub mod control;
pub mod dns;
pub mod endpoints;
pub mod estate;
mod files;
pub mod front;
mod inner;
mod lab;
pub mod orders;
pub mod platform;
pub mod preset;
pub mod signing_key;
pub mod state;
mod wire;

pub use admin::LabClient;
pub use builder::LabBuilder;
pub use control::{LabControl, Mark};
pub use endpoints::{Endpoints, RegionEndpoints};
pub use lab::Lab;
pub use preset::{FaultPreset, FaultRequest};
pub use state::StackState;
