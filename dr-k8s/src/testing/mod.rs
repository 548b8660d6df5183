//! The Kubernetes double: a small API server and its controllers, one cluster per region.
//!
//! Embedders test their plans with it; this workspace tests its drivers and runs its drills on it. It is reached in
//! process ([`Cluster::client`]) and over loopback HTTP ([`Cluster::serve`]), so kube-rs, kubectl and every other client
//! speak to it as they speak to a cluster. It keeps objects as a real server keeps them: versions, generations and
//! conflicts; four kinds of patches; selectors, pages, watches; `/scale` and `/status`. A deployment gets replica sets and
//! pods, pods get a node when one has room, autoscalers hold their bounds; all on the world's
//! [`Clock`](dr_core::time::Clock). Every call passes the world's [`FaultBoard`](dr_core::testing::FaultBoard) under
//! [`Plane::Kubernetes`](dr_core::model::Plane) with an operation such as `k8s:patch deployments/scale`, and every accepted
//! write is entered in the [`EffectLog`](dr_core::testing::EffectLog).
//!
//! What it does not know: access control beyond one token, admission, quotas, pods' deletion grace, `minReadySeconds`,
//! services' traffic, and every kind that [`ResourceType`] does not list. A call to any of that is answered with a `Status`
//! error that names the verb and the resource.
//!
//! ```
//! use std::{sync::Arc, time::Duration};
//! use dr_core::{model::RegionId, testing::{EffectLog, FaultBoard}, time::ManualClock};
//! use dr_k8s::testing::{Cluster, Workload};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock = ManualClock::new();
//! let region = RegionId::new("eu-west-1")?;
//! let cluster = Cluster::builder(region, Arc::new(clock.clone()), FaultBoard::new(), EffectLog::new()).build();
//! cluster.deploy(&Workload::new("production", "cart").replicas(3).image("shop/cart:1"));
//! assert_eq!(cluster.ready_replicas("production", "cart"), 0);
//! clock.advance(Duration::from_secs(10)); // pods take 8 s to start
//! assert_eq!(cluster.ready_replicas("production", "cart"), 3);
//! # Ok(())
//! # }
//! ```

mod api;
mod catalog;
mod cluster;
mod controllers;
mod object;
mod patch;
mod selector;
mod server;
mod service;
mod state;
mod store;
mod watch;
mod workload;

pub use catalog::ResourceType;
pub use cluster::{Cluster, ClusterBuilder};
pub use server::{Serving, kubeconfig};
pub use service::{ClusterService, ResponseBody};
pub use workload::Workload;
