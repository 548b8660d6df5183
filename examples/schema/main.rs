//! Prints `dr.schema.json`: the schema of `dr.yaml` with the `spec:` block of every driver, for editors.
//!
//! `cargo xtask docs` writes it to the file, and CI checks that the file is what this prints.

use std::{error::Error, sync::Arc};

use dr_aws::Clients;
use dr_core::{
    spec::json_schema,
    time::{SharedClock, SystemClock},
};

fn main() -> Result<(), Box<dyn Error>> {
    // Clients connect when they are first asked to, and nobody asks here.
    let clock: SharedClock = Arc::new(SystemClock::new());
    let drivers = dr_aws::drivers(&Clients::offline(clock.clone()))?.into_iter().chain(dr_k8s::drivers(&clock));
    let schemas = drivers.map(|driver| (driver.kind(), driver.schema())).collect();
    println!("{}", serde_json::to_string_pretty(&json_schema(&schemas))?);
    Ok(())
}
