//! AWS for regional failover: one folder for each kind of resource, and a double of AWS to try it all on.
//!
//! [`Clients`] makes the SDK's clients with the timeouts that a failover needs, and [`classify`] turns the SDK's errors
//! into ones that say whether the call was applied.

pub mod arn;
pub mod aurora_global;
mod classify;
mod client;
pub mod elasticache_global;
mod guard;
pub mod opinion;
mod registry;
pub mod route53_failover;
pub mod s3_journal;
#[cfg(feature = "testing")]
pub mod testing;

pub use classify::classify;
pub use client::{AwsService, Clients, ClientsBuilder, RegionClients, Timeouts};
pub use registry::drivers;
