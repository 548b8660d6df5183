use dr_core::{model::RegionId, time::Monotonic};

/// A cluster snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Its identifier: `rds:unplanned-global-failover-orders-use1-1767225600000`.
    pub id: String,
    /// The region that holds it.
    pub region: RegionId,
    /// The cluster that it was taken of.
    pub cluster: String,
    /// `automated` (kept as long as the cluster's retention says) or `manual` (kept until deleted).
    pub kind: &'static str,
    /// When, on the world's clock.
    pub at: Monotonic,
    /// Engine.
    pub engine: String,
    /// Version of the engine.
    pub engine_version: String,
    /// The snapshot that it was copied from.
    pub copied_from: Option<String>,
}
