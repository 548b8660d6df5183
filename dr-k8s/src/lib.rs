//! Kubernetes drivers for `dr-core`: deployments through their owner, with a deadline on every call.
//!
//! With the feature `testing`, also a stand-in for a cluster that embedders can test their plans on.

mod classify;
mod clusters;
pub mod deployments;
mod registry;
#[cfg(feature = "testing")]
pub mod testing;

pub use classify::classify;
pub use clusters::{ClusterAccess, Clusters, ClustersBuilder, RegionCalls};
pub use registry::drivers;
