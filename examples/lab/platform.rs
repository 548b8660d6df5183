//! The e-commerce platform of the drill: its names, and the sizes of its six services.
//!
//! They are the names of `examples/ecommerce.dr.yaml`; the two files describe one platform.

use std::net::Ipv4Addr;

/// The region that serves in steady state.
pub const ACTIVE: &str = "us-east-1";
/// The warm standby.
pub const STANDBY: &str = "eu-west-1";
/// The region that observes, and holds the journal.
pub const WITNESS: &str = "eu-central-1";

/// The domain.
pub const ZONE: &str = "ecommerce.com";
/// The name that clients use.
pub const PUBLIC_NAME: &str = "api.ecommerce.com";
/// The global database.
pub const GLOBAL_CLUSTER: &str = "ecommerce-global";
/// The global cache.
pub const GLOBAL_REPLICATION_GROUP: &str = "ldgnf-ecommerce";
/// The namespace of the six services.
pub const NAMESPACE: &str = "production";
/// The bucket, in the standby's region, of the object that moves traffic away from the active region.
pub const SWITCH_BUCKET: &str = "ecommerce-failover-switch-eu-west-1";
/// The key of that object: whoever knows it can read whether the switch is thrown, so it is not to be guessed.
pub const SWITCH_KEY: &str = "stop/7f3a9c52-primary-us-east-1";
/// The bucket, in the witness region, of the journal.
pub const JOURNAL_BUCKET: &str = "ecommerce-dr-journal-eu-central-1";

/// A region of the platform, with the address that it has on this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its name.
    pub region: &'static str,
    /// Its loopback address.
    pub address: Ipv4Addr,
    /// The cluster of the global database there; none in the witness region.
    pub database: Option<&'static str>,
    /// The replication group of the global cache there.
    pub cache: Option<&'static str>,
    /// The name of the load balancer.
    pub load_balancer: Option<&'static str>,
    /// The region's own name of the application.
    pub name: Option<&'static str>,
}

/// The three regions: active, standby, witness.
pub const PLACES: [Place; 3] = [
    Place {
        region: ACTIVE,
        address: Ipv4Addr::new(127, 0, 1, 1),
        database: Some("ecommerce-production"),
        cache: Some("ecommerce-cache-use1"),
        load_balancer: Some("ecommerce-use1-1038472910.us-east-1.elb.amazonaws.com"),
        name: Some("api-us-east-1.ecommerce.com"),
    },
    Place {
        region: STANDBY,
        address: Ipv4Addr::new(127, 0, 2, 1),
        database: Some("ecommerce-secondary"),
        cache: Some("ecommerce-cache-euw1"),
        load_balancer: Some("ecommerce-euw1-2094817365.eu-west-1.elb.amazonaws.com"),
        name: Some("api-eu-west-1.ecommerce.com"),
    },
    Place {
        region: WITNESS,
        address: Ipv4Addr::new(127, 0, 3, 1),
        database: None,
        cache: None,
        load_balancer: None,
        name: None,
    },
];

/// One of the six services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name, which is also its deployment's.
    pub name: &'static str,
    /// Replicas while it waits in the standby region.
    pub standby: u32,
    /// Replicas when it carries all traffic.
    pub full: u32,
    /// The most that its autoscaler may run, where it has one.
    pub autoscaled_to: Option<u32>,
}

/// The six services.
pub const SERVICES: [Service; 6] = [
    Service { name: "catalog", standby: 2, full: 6, autoscaled_to: Some(12) },
    Service { name: "cart", standby: 1, full: 4, autoscaled_to: Some(8) },
    Service { name: "orders", standby: 1, full: 4, autoscaled_to: Some(8) },
    Service { name: "payments", standby: 1, full: 3, autoscaled_to: None },
    Service { name: "users", standby: 1, full: 3, autoscaled_to: None },
    Service { name: "notifications", standby: 1, full: 2, autoscaled_to: None },
];
