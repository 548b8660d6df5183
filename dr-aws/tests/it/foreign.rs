//! The doubles through a client that knows nothing of us: boto3, unmodified.

use std::process::Command;

use dr_aws::testing::{cloudwatch::MetricId, s3::PublicAccess};
use dr_core::time::Clock as _;

use crate::stage::{Stage, east, west};

/// Runs `aws_double.py` with the interpreter that `DR_FOREIGN_PYTHON` names, which has boto3. Without one there is
/// nothing to run, and the test says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn boto3_sees_records_checks_objects_and_metrics() {
    let Ok(python) = std::env::var("DR_FOREIGN_PYTHON") else {
        eprintln!("skipped: DR_FOREIGN_PYTHON names no interpreter with boto3");
        return;
    };
    let stage = Stage::over_http().await;
    stage.world.s3().add_bucket(&west(), "switches", PublicAccess::Read);
    let metric = MetricId::new("AWS/RDS", "AuroraGlobalDBRPOLag", [("DBClusterIdentifier", "orders-eu")]);
    stage.world.cloudwatch().put_metric(&west(), metric, stage.clock.wall(), 87.0);
    let mut command = Command::new(python);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/aws_double.py"))
        .env("EAST_URL", stage.endpoint(&east()).url())
        .env("WEST_URL", stage.endpoint(&west()).url())
        .env("WORLD_TIME", stage.clock.wall().as_secs_f64().to_string())
        .env("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "a-secret")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true");
    let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let shown = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{shown}");
    // The script says what it did, so that a script that does nothing does not pass.
    assert!(shown.contains("4 services checked"), "{shown}");
    assert_eq!(stage.world.s3().get("switches", "stop").as_deref(), Some(b"from boto3".as_slice()));
}
