//! What the drill does not do, and how it says so.

use std::path::Path;

use dr_lab::LabControl as _;

use crate::process::{DRILL, Ended, Program, SPEC, StandingLab, turn};

async fn drill(arguments: &[&str]) -> Ended {
    Program::start(DRILL, arguments).end().await
}

/// The platform's description with some of it replaced, written to a folder.
fn description(folder: &Path, replaced: &[(&str, &str)]) -> String {
    let mut text = std::fs::read_to_string(SPEC).unwrap();
    for (what, by) in replaced {
        assert!(text.contains(what), "{what}");
        text = text.replacen(what, by, 1);
    }
    let file = folder.join("other.dr.yaml");
    std::fs::write(&file, text).unwrap();
    file.to_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standing_lab_is_not_broken_without_a_yes() {
    let folder = tempfile::tempdir().unwrap();
    let lab = StandingLab::in_folder(folder.path()).await;
    let report = folder.path().join("report");
    let ended = drill(&["--lab", lab.argument(), "--spec", SPEC, "--report", report.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(64), "{}", ended.shown());
    assert!(ended.err.contains("--yes"), "{}", ended.shown());
    let client = lab.client().await;
    assert!(client.state().await.unwrap().faults.is_empty());
    assert!(client.marks().await.unwrap().is_empty());
    assert!(client.effects().await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_makes_no_sense_is_wrong_usage() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere");
    let nowhere = nowhere.to_str().unwrap();
    for (arguments, named) in [
        (&["--falt", "refuse"][..], "--falt"),
        (&["--fault", "earthquake"], "earthquake"),
        (&["--time-scale", "0"], "above 0"),
        (&["resume", "--yes", "--report", nowhere], "no drill to take up"),
        (&["--yes", "--report", nowhere, "--lab", nowhere], "no lab stands"),
        (&["--report", nowhere, "--spec", nowhere], "cannot be read"),
    ] {
        let ended = drill(arguments).await;
        assert_eq!(ended.code, Some(64), "{arguments:?}: {}", ended.shown());
        assert!(ended.err.contains(named) && ended.out.is_empty(), "{arguments:?}: {}", ended.shown());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_mistake_of_a_description_is_told_with_its_place() {
    // What is replaced, by what, and how the place begins that is told.
    let mistakes = [
        ("  rto: 5m", "  rto: five minutes", "objectives.rto"),
        ("role: active", "role: actve", "regions[0].role"),
        ("region: eu-central-1, control", "region: eu-central-7, control", "observers[2].region"),
        ("threshold: { trip: 3", "threshold: { trip: 0", "probes[0].threshold.trip"),
        ("  dwell: 10s", "  dwel: 10s", "detection.dwel"),
        ("id: cart, namespace", "id: catalog, namespace", "services[1].id"),
        ("full: 4", "full: many", "services[1].replicas.full"),
        ("kind: aws.elasticache_global", "kind: aws.elasticash_global", "resources[1].kind"),
        ("[orders-db, sessions, platform]", "[orders-db, session, platform]", "resources[3].depends_on[1]"),
        ("ttl_seconds: 60", "ttl_seconds: -60", "resources[3].spec.ttl_seconds"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let file = description(folder.path(), &mistakes.map(|(what, by, _)| (what, by)));
    let text = std::fs::read_to_string(&file).unwrap();
    let report = folder.path().join("report");
    let ended = drill(&["--spec", &file, "--report", report.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(64), "{}", ended.shown());
    for (_, by, path) in mistakes {
        // The last line with it: a name that is taken stands in an earlier one, too.
        let (at, _) = text.lines().enumerate().filter(|(_, line)| line.contains(by)).last().unwrap();
        let at = at + 1;
        let told = ended
            .err
            .lines()
            .any(|line| line.contains(&format!("other.dr.yaml:{at}:")) && line.contains(&format!(" error: {path}: ")));
        assert!(told, "{path} in line {at}: {}", ended.shown());
    }
    // And an eleventh: where a key is misspelt, the right one is missing.
    assert!(ended.err.contains("detection.dwell: `dwell` is missing"), "{}", ended.shown());
    assert!(ended.err.contains("11 errors"), "{}", ended.shown());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_needs_the_region_that_is_lost_stops_at_lint() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let switch = [
        ("kind: standby-takes-over\n        region: eu-west-1\n", "kind: check-inversion\n"),
        ("        bucket: ecommerce-failover-switch-eu-west-1\n", ""),
        ("        key: stop/7f3a9c52-primary-us-east-1\n", ""),
    ];
    let file = description(folder.path(), &switch);
    let lab = StandingLab::in_folder(folder.path()).await;
    let report = folder.path().join("report");
    let ended = drill(&["--lab", lab.argument(), "--yes", "--spec", &file, "--report", report.to_str().unwrap()]).await;
    assert_eq!(ended.code, Some(3), "{}", ended.shown());
    assert!(ended.out.contains("E02"), "{}", ended.shown());
    assert!(ended.err.contains("lint does not let this plan run"), "{}", ended.shown());
    assert!(!ended.out.contains("== Failover =="), "{}", ended.shown());
    assert!(lab.client().await.effects().await.unwrap().is_empty());
}

#[tokio::test]
async fn route_53_is_asked_what_it_would_answer_and_nobody_else_is() {
    let ended = drill(&["route53", "--spec", SPEC]).await;
    assert_eq!(ended.code, Some(0), "{}", ended.shown());
    let leads: Vec<&str> = ended.out.lines().filter_map(|line| line.split(" leads to ").nth(1)).collect();
    // The primary's check follows the switch, so a lost region moves nothing, and the switch does.
    let (east, west) = ("us-east-1", "eu-west-1");
    assert_eq!(leads, [east, east, east, east, west, west], "{}", ended.shown());
    assert!(ended.out.contains("follows an object in eu-west-1"), "{}", ended.shown());
}
