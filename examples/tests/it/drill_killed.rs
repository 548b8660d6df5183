//! One drill, killed five times. Whoever takes it up finds out what had been done, and does it no second time.

use std::collections::BTreeMap;

use dr_core::testing::EffectRecord;
use dr_lab::LabControl as _;
use serde_json::Value;

use crate::process::{DRILL, Program, SPEC, StandingLab, turn};

/// What the drill says at the moments at which it is killed: while nobody has decided yet; between the replicas' growth
/// and its being written down; while the database is promoted; between the switch's throw and its being written down;
/// while the writer is handed back.
const MOMENTS: [&str; 5] = [
    "us-east-1 suspect",
    "platform/scale-payments: payments scaled from",
    "orders-db/promote: asking eu-west-1",
    "public-name/throw-switch: s3://",
    "orders-db/switchover: asking eu-west-1",
];

/// How many drills are begun until one is killed at every moment: on a busy machine the killer may come late.
const DRILLS: usize = 3;

const WEST_DATABASE: &str = "arn:aws:rds:eu-west-1:111122223333:cluster:ecommerce-secondary";
const EAST_DATABASE: &str = "arn:aws:rds:us-east-1:111122223333:cluster:ecommerce-production";
const SWITCH: &str = "ecommerce-failover-switch-eu-west-1/stop/7f3a9c52-primary-us-east-1";
const AUTOSCALER: &str = "k8s:patch horizontalpodautoscalers";
const SCALE: &str = "k8s:patch deployments/scale";

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_killed_five_times_ends_as_if_it_had_not_been() {
    let _turn = turn().await;
    let mut missed = Vec::new();
    while let Err(moment) = killed_at_every_moment().await {
        missed.push(moment);
        assert!(missed.len() < DRILLS, "the killer missed {missed:?}");
    }
}

/// A drill that is killed at every moment, on a lab of its own; the moment that the killer missed when it was late.
async fn killed_at_every_moment() -> Result<(), &'static str> {
    let folder = tempfile::tempdir().unwrap();
    let lab = StandingLab::in_folder(folder.path()).await;
    let before = lab.client().await.state().await.unwrap();
    let report = folder.path().join("report");
    let rest = ["--yes", "--spec", SPEC, "--report", report.to_str().unwrap()];

    let mut drill = Program::start(DRILL, &[&["--lab", lab.argument()], &rest[..]].concat());
    for (n, moment) in MOMENTS.into_iter().enumerate() {
        if !drill.comes_to_say(moment).await {
            return Err(moment);
        }
        let killed = drill.kill().await;
        assert_eq!(killed.code, None, "it had ended by itself: {}", killed.shown());
        if let Some(missed) = MOMENTS[n + 1..].iter().find(|later| killed.out.contains(**later)) {
            return Err(missed);
        }
        drill = Program::start(DRILL, &[&["resume"], &rest[..]].concat());
    }
    let ended = drill.end().await;

    assert!(matches!(ended.code, Some(0 | 2)), "{}", ended.shown());
    let outcome = std::fs::read_to_string(report.join("drill-outcome.json")).unwrap();
    let outcome: Value = serde_json::from_str(&outcome).unwrap();
    assert_eq!(outcome["restored"], true, "{}", ended.shown());
    assert_eq!(outcome["objectives_met"], ended.code == Some(0));
    let client = lab.client().await;
    assert!(before.diff(&client.state().await.unwrap()).is_empty());
    assert_eq!(client.audit(None).await.unwrap().split_brain, 0);
    nothing_twice(&client.effects().await.unwrap());

    // Nothing is left to take up.
    let again = Program::start(DRILL, &[&["resume"], &rest[..]].concat()).end().await;
    assert_eq!(again.code, Some(64), "{}", again.shown());
    Ok(())
}

fn nothing_twice(effects: &[EffectRecord]) {
    let back = effects.iter().position(|effect| effect.operation == "s3:DeleteObject").unwrap();
    let (out, back) = effects.split_at(back);
    let out = counted(out);
    let mut back = counted(back);
    // The handing back of both writers comes before the switch is released, everything that restores after it.
    let mut expected: BTreeMap<(&str, &str), usize> = [
        ("rds:FailoverGlobalCluster", WEST_DATABASE),
        ("elasticache:FailoverGlobalReplicationGroup", "eu-west-1/ecommerce-cache-euw1"),
        ("s3:PutObject", SWITCH),
        ("rds:SwitchoverGlobalCluster", EAST_DATABASE),
        ("elasticache:FailoverGlobalReplicationGroup", "us-east-1/ecommerce-cache-use1"),
        (AUTOSCALER, "production/catalog"),
        (AUTOSCALER, "production/cart"),
        (AUTOSCALER, "production/orders"),
        (SCALE, "production/payments"),
        (SCALE, "production/users"),
        (SCALE, "production/notifications"),
    ]
    .map(|effect| (effect, 1))
    .into();
    assert_eq!(out, expected, "on the way out");

    // An autoscaler whose bound is lowered leaves its replicas as they are; they are taken back too, unless it was quicker.
    for name in ["production/catalog", "production/cart", "production/orders"] {
        assert!(back.remove(&(SCALE, name)).unwrap_or(1) == 1, "{name} was scaled back twice");
    }
    expected.retain(|(operation, _), _| operation.starts_with("k8s:"));
    expected.insert(("s3:DeleteObject", SWITCH), 1);
    assert_eq!(back, expected, "on the way back");
}

fn counted(effects: &[EffectRecord]) -> BTreeMap<(&str, &str), usize> {
    let mut counted = BTreeMap::new();
    for effect in effects {
        *counted.entry((effect.operation.as_str(), effect.subject.as_str())).or_default() += 1;
    }
    counted
}
