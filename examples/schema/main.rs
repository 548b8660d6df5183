//! Prints `dr.schema.json`: the schema of `dr.yaml` with the `spec:` block of every driver, for editors.
//!
//! `cargo xtask docs` writes it to the file, and CI checks that the file is what this prints.

use std::{error::Error, sync::Arc};

use dr_aws::{Clients, route53_failover::Route53Failover};
use dr_core::{driver::DriverRegistry, spec::json_schema, time::SystemClock};

fn main() -> Result<(), Box<dyn Error>> {
    // Clients connect when they are first asked to, and nobody asks here.
    let aws = Clients::builder(Arc::new(SystemClock::new())).build();
    let mut drivers = DriverRegistry::new();
    drivers.register(Arc::new(Route53Failover::new(aws)?))?;

    let schemas = drivers.iter().map(|driver| (driver.kind(), driver.schema())).collect();
    println!("{}", serde_json::to_string_pretty(&json_schema(&schemas))?);
    Ok(())
}
