use std::fmt;

use dr_core::model::RegionId;

/// What the application stands on in a region, besides its database.
///
/// ```
/// use dr_core::model::RegionId;
/// use dr_lab::front::Platform;
///
/// /// Everything at full size, everywhere.
/// #[derive(Debug)]
/// struct Plenty;
///
/// impl Platform for Plenty {
///     fn ready_replicas(&self, _region: &RegionId, _service: &str) -> u32 { 100 }
///     fn cache_is_writable(&self, _region: &RegionId) -> bool { true }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// assert!(Plenty.cache_is_writable(&RegionId::new("us-east-1")?));
/// # Ok(())
/// # }
/// ```
pub trait Platform: fmt::Debug + Send + Sync + 'static {
    /// How many replicas of a service are ready there.
    fn ready_replicas(&self, region: &RegionId, service: &str) -> u32;
    /// Whether the region's cache takes writes: an order writes its session.
    fn cache_is_writable(&self, region: &RegionId) -> bool;
}
