//! AWS for regional failover: one folder for each kind of resource, and a double of AWS to try it all on.

#[cfg(feature = "testing")]
pub mod testing;
