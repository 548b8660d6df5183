use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use aws_credential_types::Credentials;
use dr_aws::{Clients, Timeouts};
use dr_core::{model::Epoch, step::StepCx, time::SystemClock};

use crate::stage::{east, west};

/// moto, in a process of its own, with both regions behind one address.
pub(super) struct Moto {
    server: Child,
    pub(super) clients: Clients,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

impl Moto {
    /// Starts it with the interpreter that `DR_FOREIGN_PYTHON` names, which has moto. Without one there is nothing to run
    /// against, and the test says so.
    pub(super) fn start() -> Option<Self> {
        let Ok(python) = std::env::var("DR_FOREIGN_PYTHON") else {
            eprintln!("skipped: DR_FOREIGN_PYTHON names no interpreter with moto");
            return None;
        };
        let mut command = Command::new(python);
        command.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/moto_server.py"));
        // The account of the tests' ARNs. It tells of each request, which nobody reads.
        command.env("MOTO_ACCOUNT_ID", "111122223333").stderr(Stdio::null());
        let mut server = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut url = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut url).unwrap();
        assert!(url.starts_with("http://"), "moto does not start: is it installed beside boto3?");
        let url = url.trim_end().to_owned();
        let limit = Duration::from_secs(60);
        let clients = Clients::builder(Arc::new(SystemClock::new()))
            .credentials(Credentials::new("AKIDEXAMPLE", "a-secret", None, None, "tests"))
            .timeouts(Timeouts { connect: limit, attempt: limit, operation: limit })
            .endpoint(&east(), url.clone())
            .endpoint(&west(), url)
            .build();
        Some(Self { server, clients })
    }

    /// The context of an attempt that may take a minute.
    pub(super) fn step_cx(&self) -> StepCx {
        let clock = Arc::new(SystemClock::new());
        let limit = Duration::from_secs(60);
        StepCx::new("run-1".parse().unwrap(), "step-1".parse().unwrap(), Epoch(1), clock, limit)
    }

    /// A bucket in the west.
    pub(super) async fn with_bucket(&self, name: &str) {
        use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
        let place = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::EuWest1);
        let west = self.clients.for_writes(&west());
        let made = west.s3().create_bucket().bucket(name).create_bucket_configuration(place.build());
        made.send().await.unwrap();
    }
}
