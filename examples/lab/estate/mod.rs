//! The platform on the doubles: what is built before the first request, and what the lab's moving parts read of it.

mod buckets;
mod build;
mod data_plane;
mod database;
mod load_balancer;
mod snapshot;

pub use build::Estate;
pub use data_plane::HostedZone;
pub(crate) use data_plane::Route53Checks;
pub(crate) use database::Aurora;
pub(crate) use load_balancer::LoadBalancer;
