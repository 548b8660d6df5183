use std::{fmt, time::Duration};

use dr_core::{
    model::{Epoch, RegionId},
    time::Monotonic,
};

/// How a region came to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PromotionKind {
    /// The region took over from a writer that had stopped and been drained: nothing is lost.
    Switchover,
    /// The region took over with what it had; the rest stays on the old writer's volume.
    Failover,
    /// The region left the global database and became a writer of its own; the old one goes on.
    Detach,
}

/// A change of writer that the database has completed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promotion {
    /// When, on the world's clock.
    pub at: Monotonic,
    /// The region that was promoted.
    pub region: RegionId,
    /// The writer's epoch from then on.
    pub epoch: Epoch,
    /// How.
    pub kind: PromotionKind,
}

/// What the order volumes need to know of the global database.
///
/// ```
/// use std::time::Duration;
/// use dr_core::model::{Epoch, RegionId};
/// use dr_lab::orders::{Database, Promotion};
///
/// /// A database that never fails over.
/// #[derive(Debug)]
/// struct Settled(RegionId);
///
/// impl Database for Settled {
///     fn is_writable(&self, region: &RegionId) -> bool { *region == self.0 }
///     fn lag(&self, _replica: &RegionId) -> Duration { Duration::from_millis(900) }
///     fn promotions(&self, _after: usize) -> Vec<Promotion> { Vec::new() }
///     fn is_replica(&self, region: &RegionId) -> bool { *region != self.0 }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let database = Settled(RegionId::new("us-east-1")?);
/// assert!(!database.is_writable(&RegionId::new("eu-west-1")?));
/// # Ok(())
/// # }
/// ```
pub trait Database: fmt::Debug + Send + Sync + 'static {
    /// Whether this region's cluster takes writes now.
    fn is_writable(&self, region: &RegionId) -> bool;
    /// How far a replica follows behind, the same number that the world's metrics report.
    fn lag(&self, replica: &RegionId) -> Duration;
    /// The completed changes of writer, oldest first, without the first `after`.
    fn promotions(&self, after: usize) -> Vec<Promotion>;
    /// Whether this region's volume is a copy of the writer's: false for the writer, and for an old one that was not rebuilt yet.
    fn is_replica(&self, region: &RegionId) -> bool;
}
