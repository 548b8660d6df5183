//! A double of Amazon ElastiCache, as far as a Global Datastore is moved between regions.
//!
//! There is no automatic failover from one region to another; `FailoverGlobalReplicationGroup` is the only way to
//! promote a secondary. Its parameters name the *new* primary's region and replication group, and it is sent to that
//! region's endpoint: the API's own text is ambiguous, and this is how every published use calls it. While it runs the
//! datastore is `modifying` and takes no writes; then the roles are exchanged and it is `available`. When that does not
//! work, `DisassociateGlobalReplicationGroup` makes a secondary a cluster of its own.
//!
//! A demoted primary is wiped and filled anew from the new one. AWS does not say how that shows; here the member is
//! `associating` until it has been done, which needs its region to be back.

mod advance;
mod api;
mod faults;
mod model;
mod service;
mod transitions;
mod wire;

#[cfg(test)]
mod tests;

pub use model::{Change, Datastore, Filling, Group, Member, State, Timings};
pub use service::{DatastoreSetup, ElastiCache};
