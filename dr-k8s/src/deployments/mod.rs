//! `k8s.deployments`: an application's services as Deployments, in one cluster per region.
//!
//! A warm standby runs every service small. Failing over to it means growing each to its full count *through whoever owns
//! the count*: a horizontal pod autoscaler's bounds when one looks after the deployment, the `/scale` subresource when
//! none does. Scaling a deployment that an autoscaler owns lasts until the autoscaler's next look (15 s): an idle standby
//! calls for the minimum.
//!
//! What is waited for is not `Available=True`, which already holds with a quarter of the replicas missing
//! (`maxUnavailable`), but that the controller has seen the new size and the replicas of it are available. A pure scale of
//! a completed rollout has no progress deadline, so the wait has its own, and ends early when pods cannot start at all.
//!
//! Every change is conditional on what was read before it, as a JSON patch with a `test`: a call whose reply was lost, or
//! that arrives late, cannot be applied a second time, and cannot undo what somebody else has done since.
//!
//! Traps that the driver knows: an autoscaler does nothing while its target has zero replicas (a pilot light needs bounds
//! *and* a first scale); `maxReplicas` below the wanted count caps it silently; KEDA rewrites the autoscaler that it owns,
//! so such a workload is refused and named; the default client hangs for ever on a sick API server.

mod change;
mod driver;
mod probe;
mod readiness;
mod spec;
mod steps;
mod validations;
mod workload;

pub use driver::Deployments;
pub use probe::ApiServer;
pub use spec::DeploymentsSpec;
pub use steps::{AwaitReady, AwaitReadyParams, ReadyEvidence, Restore, RestoreParams, ScaleUp, ScaleUpParams};
pub use validations::{StandbyHasRoom, WorkloadsMatch};
pub use workload::{AutoscalerImage, WorkloadImage, WorkloadRef};
