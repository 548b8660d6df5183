//! Whole drills on a lab of their own, one for each fault, as a script runs them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::process::{DRILL, Program, SPEC, TIME_SCALE, turn};

fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

fn set<const N: usize>(names: [&'static str; N]) -> BTreeSet<&'static str> {
    names.into()
}

/// Runs a whole drill and holds what it prints against what it promises.
async fn drill(fault: &str) -> Value {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report");
    let what = ["--fault", fault, "--json", "--seed", "4", "--time-scale", TIME_SCALE];
    let arguments = [&what[..], &["--spec", SPEC, "--report", report.to_str().unwrap()]].concat();
    let ended = Program::start(DRILL, &arguments).end().await;
    let shown = ended.shown();

    // One object on standard output, and nothing else there.
    let outcome: Value = serde_json::from_str(&ended.out).unwrap_or_else(|e| panic!("{e}: {shown}"));
    assert_eq!(
        keys(&outcome),
        set([
            "fault",
            "seed",
            "time_scale",
            "objectives",
            "measured",
            "objectives_met",
            "restored",
            "steps",
            "run",
            "report"
        ]),
    );
    assert_eq!(keys(&outcome["objectives"]), set(["rto_s", "rpo_s"]));
    assert_eq!(
        keys(&outcome["measured"]),
        set(["rto_s", "rpo_s", "writes_acked", "writes_lost", "detect_s", "promote_s", "dns_s"]),
    );
    for step in outcome["steps"].as_array().unwrap() {
        assert_eq!(keys(step), set(["id", "phase", "started_s", "ended_s", "outcome"]));
    }

    assert_eq!(outcome["restored"], true, "{shown}");
    // A machine that is busy may miss an objective. It must then say so, in both places.
    let met = outcome["objectives_met"].as_bool().unwrap();
    assert_eq!(ended.code, Some(if met { 0 } else { 2 }), "{shown}");
    let (measured, objectives) = (&outcome["measured"], &outcome["objectives"]);
    let within = |name: &str| measured[name].as_f64().is_none_or(|felt| felt <= objectives[name].as_f64().unwrap());
    assert_eq!(met, within("rto_s") && within("rpo_s"), "{shown}");

    assert_eq!((&outcome["fault"], &outcome["seed"]), (&fault.into(), &4.into()));
    assert!(outcome["run"].is_string(), "{shown}");
    let steps = outcome["steps"].as_array().unwrap();
    let done = |id: &str| steps.iter().any(|step| step["id"] == id && step["outcome"] == "done");
    for id in ["orders-db/promote", "public-name/throw-switch", "orders-db/switchover", "public-name/release-switch"] {
        assert!(done(id), "{id} is not among the steps done: {shown}");
    }
    assert!(measured["writes_acked"].as_u64().unwrap() > 0, "{shown}");
    for file in ["report.md", "report.html", "journal.sqlite"] {
        assert!(report.join(file).metadata().unwrap().len() > 0, "{file}");
    }
    outcome
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_refuses_is_left_and_returned_to() {
    drill("refuse").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_falls_silent_is_left_and_returned_to() {
    let outcome = drill("blackhole").await;
    assert!(outcome["measured"]["detect_s"].as_f64().unwrap() > 0.0, "{outcome}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_reads_well_and_fails_every_order_is_left_and_returned_to() {
    drill("gray").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_region_that_cannot_be_steered_is_left_and_returned_to() {
    drill("control-plane").await;
}
