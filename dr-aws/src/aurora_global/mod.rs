//! Aurora Global Database: one writer, in one region, followed by storage in others.
//!
//! | step | when | endpoint |
//! |---|---|---|
//! | [`Promote`]: `FailoverGlobalCluster` with `AllowDataLoss` | the primary's region is lost | the target's region |
//! | [`Switchover`]: `SwitchoverGlobalCluster` | both regions are well; nothing is lost | the *current* primary's region |
//! | [`HandOver`]: a switchover that becomes a failover when it is forced | both are well, and `ungraceful: failover` is written | as above |
//! | [`Detach`]: `RemoveFromGlobalCluster` | the engine versions differ, so that nothing else is left | the target's region |
//! | [`AwaitRejoin`] | before a failback: the old primary is rebuilt by Aurora | any |
//! | [`AssessFence`] | before a promotion: what keeps the old primary from writing; fences nothing itself | the target's region |
//!
//! Its traps, each of which a step or a validation here minds:
//!
//! * `FailoverGlobalCluster` without `AllowDataLoss` is a switchover, and needs the primary that was lost.
//! * `FailoverState.Status` says `switching-over`, which the SDK's enum lacks: statuses are compared as strings, and an
//!   unknown one means "in progress".
//! * There is no waiter. It is over when `FailoverState` is empty **and** the target is the writer **and** the target's
//!   cluster is `available`.
//! * A reply that is lost says nothing: look before asking again.
//! * Fencing is best effort, and a detach fences nobody.
//! * A global cluster has no lag field. Lag is in CloudWatch, and vanishes with the primary's region; unknown is not zero.
//! * A secondary without instances (headless) cannot be promoted.
//!
//! Upstream: *Aurora User Guide*, "Using switchover or failover in Amazon Aurora Global Database"; *RDS API Reference*,
//! `FailoverState`.

mod api;
mod driver;
mod operations;
mod probe;
mod spec;
mod steps;
mod validations;
mod view;

pub use dr_core::step::{LagSample, RpoEvidence};
pub use driver::AuroraGlobal;
pub use probe::{LagProbe, StatusProbe};
pub use spec::{AuroraGlobalSpec, WhenUngraceful};
pub use steps::{
    AssessFence, AwaitRejoin, Detach, Detached, FenceReport, FenceRung, HandOver, Promote, Promoted, Rejoined, Route,
    Switchover,
};
pub use validations::{HeadlessTarget, LagWithinRpo, Synchronized, VersionSkew};
