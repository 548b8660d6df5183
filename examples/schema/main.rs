//! Prints `dr.schema.json`: the schema of `dr.yaml` with the `spec:` block of every driver, for editors.
//!
//! `cargo xtask docs` writes it to the file, and CI checks that the file is what this prints.

use std::{error::Error, sync::Arc};

use dr_aws::{Clients, route53_failover::Route53Failover};
use dr_core::{
    driver::DriverRegistry,
    spec::json_schema,
    time::{SharedClock, SystemClock},
};
use dr_k8s::{Clusters, deployments::Deployments};

fn main() -> Result<(), Box<dyn Error>> {
    // Clients connect when they are first asked to, and nobody asks here.
    let clock: SharedClock = Arc::new(SystemClock::new());
    let aws = Clients::builder(clock.clone()).build();
    let mut drivers = DriverRegistry::new();
    drivers.register(Arc::new(Route53Failover::new(aws)?))?;
    drivers.register(Arc::new(Deployments::new(Clusters::builder(clock).build())))?;

    let schemas = drivers.iter().map(|driver| (driver.kind(), driver.schema())).collect();
    println!("{}", serde_json::to_string_pretty(&json_schema(&schemas))?);
    Ok(())
}
