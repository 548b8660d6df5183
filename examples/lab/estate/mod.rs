//! The platform on the doubles: what is built before the first request, and what the lab's moving parts read of it.

mod buckets;
mod build;
mod data_plane;
mod database;
mod load_balancer;
mod snapshot;

pub(crate) use build::Estate;
pub(crate) use data_plane::{HostedZone, Route53Checks};
pub(crate) use database::Aurora;
pub(crate) use load_balancer::LoadBalancer;
