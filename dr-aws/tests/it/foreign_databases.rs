//! boto3 against the database doubles: a client that is not ours, over real sockets.

use std::sync::Arc;

use dr_aws::testing::{World, elasticache::DatastoreSetup, rds::GlobalSetup};
use dr_core::time::ScaledClock;

use crate::two_regions::{eu, us};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_fails_the_databases_over() {
    let Ok(python) = std::env::var("DR_FOREIGN_PYTHON") else {
        eprintln!("skipped: set DR_FOREIGN_PYTHON to a Python that has boto3");
        return;
    };
    let world = World::builder(Arc::new(ScaledClock::new(60.0))).region(us()).region(eu()).build();
    let database = GlobalSetup::postgres("orders").member(us(), "orders-use1").member(eu(), "orders-euw1");
    world.rds().create(&database).unwrap();
    let cache = DatastoreSetup::new("ldgnf-carts").member(us(), "carts-use1").member(eu(), "carts-euw1");
    world.elasticache().create(&cache).unwrap();
    let at_us = world.serve(&us(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let at_eu = world.serve(&eu(), "127.0.0.1:0".parse().unwrap()).await.unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/databases.py");
    let (us_url, eu_url) = (at_us.url(), at_eu.url());
    let output = tokio::task::spawn_blocking(move || {
        std::process::Command::new(python).args([script, &us_url, &eu_url]).output()
    })
    .await
    .unwrap()
    .unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    assert_eq!(world.effects().all().len(), 2);
    assert!(world.rds().roles("orders").is_some_and(|roles| roles.epoch == 1));
}
