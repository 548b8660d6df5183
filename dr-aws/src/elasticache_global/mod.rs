//! ElastiCache Global Datastore: one primary, in one region, that secondaries in others follow.
//!
//! There is no automatic failover from region to region. [`PromoteCache`] is the only way to move the primary, in a
//! disaster and in a failback alike: `FailoverGlobalReplicationGroup`, whose parameters name the **new** primary and
//! which is sent to the new primary's region. Replication is asynchronous, so either can lose the last writes.
//!
//! Its traps, each of which a step or a validation here minds:
//!
//! * The identifier carries a prefix of its region (`ldgnf-carts`); the bare suffix is not found.
//! * Members are described only with `ShowMemberInfo`, and roles are written in both cases.
//! * While it is promoted the datastore is `modifying` and unavailable; it is over when it is `available` **and** the
//!   new primary has the role.
//! * The dimension of `GlobalDatastoreReplicationLag` is not documented: it is found with `ListMetrics`. It is in seconds.
//!
//! Upstream: *ElastiCache API Reference*, `FailoverGlobalReplicationGroup`; *User Guide*, "Replication across AWS Regions
//! using global datastores".

mod api;
mod driver;
mod operations;
mod probe;
mod spec;
mod steps;
mod validations;
mod view;

pub use driver::ElastiCacheGlobal;
pub use probe::CacheLagProbe;
pub use spec::ElastiCacheGlobalSpec;
pub use steps::{AwaitAssociated, CachePromoted, CacheRoute, PromoteCache};
pub use validations::{CacheLag, MembersAssociated};
