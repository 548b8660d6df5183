//! A drill, seen by programs that know nothing of it: boto3, dig or dnspython, and kubectl, unmodified.

use std::{
    env,
    process::{Command, Stdio},
};

use crate::process::{DRILL, Program, SPEC, StandingLab, turn};

/// What the watcher saw of one thing, in order.
fn seen<'a>(out: &'a str, of: &str) -> Vec<&'a str> {
    out.lines().filter_map(|line| line.strip_prefix(of)?.strip_prefix(' ')).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn writer_name_and_replicas_are_seen_to_move_and_to_come_back() {
    let Some(python) = env::var_os("DR_FOREIGN_PYTHON") else {
        eprintln!("skipped: DR_FOREIGN_PYTHON names no interpreter with boto3 and dnspython");
        return;
    };
    let kubectl = env::var_os("DR_FOREIGN_KUBECTL").is_some();
    if !kubectl {
        eprintln!("in part: DR_FOREIGN_KUBECTL does not name a kubectl, so nobody looks at the replicas");
    }
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let lab = StandingLab::in_folder(folder.path()).await;

    let variables = std::fs::read_to_string(&lab.env_file).unwrap();
    let variables = variables.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once('='));
    let mut command = Command::new(python);
    command
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/foreign/watch.py"))
        .envs(variables)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::piped());
    let mut watcher = Program::spawn(command);
    watcher.says("writer ").await;

    let report = folder.path().join("report");
    let arguments = ["--lab", lab.argument(), "--yes", "--spec", SPEC, "--report", report.to_str().unwrap()];
    let ended = Program::start(DRILL, &arguments).end().await;
    assert!(matches!(ended.code, Some(0 | 2)), "{}", ended.shown());
    watcher.close_input();
    let watched = watcher.end().await;
    assert_eq!(watched.code, Some(0), "{}", watched.shown());

    let east = "arn:aws:rds:us-east-1:111122223333:cluster:ecommerce-production";
    let west = "arn:aws:rds:eu-west-1:111122223333:cluster:ecommerce-secondary";
    assert_eq!(seen(&watched.out, "writer"), [east, west, east], "{}", watched.shown());
    assert_eq!(seen(&watched.out, "answer"), ["127.0.1.1", "127.0.2.1", "127.0.1.1"], "{}", watched.shown());
    if kubectl {
        // Between two and six it may have seen any number of them.
        let replicas: Vec<u32> = seen(&watched.out, "replicas").iter().map(|count| count.parse().unwrap()).collect();
        let (first, last) = (replicas.first(), replicas.last());
        assert_eq!((first, replicas.iter().max(), last), (Some(&2), Some(&6), Some(&2)), "{}", watched.shown());
    }
}
