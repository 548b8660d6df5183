//! Two drills in one call: without and with the standby warmed on suspicion.

use serde_json::Value;

use crate::process::{DRILL, Program, SPEC, TIME_SCALE, turn};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_warmed_on_suspicion_is_found_done_and_put_back_and_the_time_it_saves_is_told() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().to_str().unwrap();
    // Pods that take longer than the promotion of the database: what is waited for last.
    let arguments =
        ["--prewarm", "--spec", SPEC, "--pod-start", "120", "--time-scale", TIME_SCALE, "--json", "--report", report];
    let ended = Program::start(DRILL, &arguments).end().await;
    assert!(matches!(ended.code, Some(0 | 2)), "{}", ended.shown());
    let outcome: Value = serde_json::from_str(ended.out.trim()).unwrap();
    assert_eq!(outcome["restored"], true, "the failback restored what stood before the suspicion: {}", ended.shown());
    // On the way back the region that serves again is at full size: six more that are done already.
    let scaled = |steps: &Value, outcome: &str| {
        let steps = steps.as_array().unwrap().iter();
        let of_platform = steps.filter(|step| step["id"].as_str().unwrap().starts_with("platform/scale-"));
        of_platform.filter(|step| step["outcome"] == outcome).count()
    };
    let first = std::fs::read_to_string(folder.path().join("without/drill-outcome.json")).unwrap();
    let first: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(
        (scaled(&first["steps"], "done"), scaled(&outcome["steps"], "already done")),
        (6, 12),
        "{}",
        ended.shown()
    );
    let savings = &outcome["prewarm"];
    assert_eq!(savings["with"]["warmed_steps"], 6, "{savings}");
    assert_eq!(savings["without"]["warmed_steps"], 0, "{savings}");
    // What was measured is what is told, whatever this machine was busy with.
    let number = |value: &Value| value.as_f64().unwrap();
    let gained = number(&savings["without"]["full_size_s"]) - number(&savings["with"]["full_size_s"]);
    assert!((gained - number(&savings["full_size_saved_s"])).abs() < 1e-6, "{savings}");
    assert!(gained > 0.0, "pods that began before the verdict are there sooner after it: {savings}");
    for said in ["Pre-warming, counted from the verdict", "step(s) were made on suspicion"] {
        assert!(ended.err.contains(said), "{said}: {}", ended.shown());
    }
}
