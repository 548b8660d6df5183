//! A double of Amazon RDS, as far as an Aurora global database is moved between regions.
//!
//! The middle is a pure state machine ([`State`]: every transition is a function of the state, the time and
//! which regions answer); around it a service that speaks the AWS query protocol, and a data plane for those
//! who play the database ([`Rds::writer`], [`Rds::is_writable`], [`Rds::changes`]).
//!
//! What it takes from the AWS documentation:
//!
//! * **Which endpoint.** `SwitchoverGlobalCluster` is answered by the *current primary's* region,
//!   `FailoverGlobalCluster` with `AllowDataLoss` and `RemoveFromGlobalCluster` by the *target's* (Aurora user
//!   guide, "Using switchover or failover in Amazon Aurora Global Database"). A call to another region is refused, and says so.
//! * **States.** `FailoverState` is empty when idle; its `Status` goes through `pending` and `failing-over` or
//!   `switching-over` (which the SDKs' enum lacks), or `cancelling`.
//! * **Fencing is best effort.** A failover tries to stop the old primary from writing (RDS-EVENT-0390, or 0391
//!   when that timed out). [`Rds::break_fencing`] makes it fail: then two writers are possible, as in life.
//! * **Detaching fences nobody.** After `RemoveFromGlobalCluster` the old primary is still a writer.
//! * **Lag.** A global cluster has no lag field. The metrics `AuroraGlobalDBRPOLag` and
//!   `AuroraGlobalDBReplicationLag` are published into the secondary's region, and stop when the primary's region is lost.

mod advance;
mod api;
mod event;
mod faults;
mod lag;
mod lifecycle;
mod model;

mod roles;
mod service;
mod setup;
mod snapshot;
mod timings;
mod transfer;
mod wire;

#[cfg(test)]
mod tests;

pub use event::RdsEvent;
pub use lag::LagMetric;
pub use model::{
    Cluster, ClusterStatus, Global, Instance, Member, Promotion, PromotionKind, State, Sync, Transfer, TransferPhase,
};
pub use roles::{Roles, Seat};
pub use service::Rds;
pub use setup::{GlobalSetup, MemberSetup};
pub use snapshot::Snapshot;
pub use timings::Timings;
