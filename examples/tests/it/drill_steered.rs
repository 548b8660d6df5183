//! A drill in one process, steered from another: paused, resumed, approved, tried again after a fault, and cancelled.

use std::time::Duration;

use dr_core::{
    model::RegionId,
    testing::{Fault, FaultRule},
    time::{Clock as _, SystemClock},
};
use dr_lab::{FaultPreset, FaultRequest, LabControl as _};
use serde_json::Value;

use crate::process::{DRILL, Ended, Program, RUNS, SPEC, StandingLab, turn};

const PROMOTE: &str = "orders-db/promote";

struct Terminal {
    journal: String,
}

impl Terminal {
    async fn runs(&self, arguments: &[&str]) -> Ended {
        Program::start(RUNS, &[&["--journal", &self.journal], arguments].concat()).end().await
    }

    /// Decides something in a name, and expects it to be done.
    async fn decide(&self, arguments: &[&str]) {
        let ended = self.runs(&[arguments, &["--who", "Ada", "--why", "as agreed"]].concat()).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.shown());
    }

    /// The JSON objects that a command prints.
    async fn json(&self, arguments: &[&str]) -> Vec<Value> {
        let ended = self.runs(&[&["--json"], arguments].concat()).await;
        assert_eq!(ended.code, Some(0), "{arguments:?}: {}", ended.shown());
        ended.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    async fn state(&self, run: &str) -> String {
        self.json(&["show", run]).await[0]["state"].as_str().unwrap().to_owned()
    }

    /// Waits until a run is in a state, while the drill goes on.
    async fn until(&self, drill: &mut Program, run: &str, state: &str) {
        for _ in 0..600 {
            drill.goes_on();
            let is = self.state(run).await;
            if is == state {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(500)).await;
        }
        panic!("{run} never is {state}: {:?}", self.json(&["show", run]).await);
    }

    /// Waits until nothing of a run is left to do before its gate. Between two steps a run can wait at the gate for a moment.
    async fn until_only_the_gate_is_left(&self, drill: &mut Program, run: &str) {
        for _ in 0..600 {
            drill.goes_on();
            let shown = self.runs(&["show", run]).await.out;
            let ready: Vec<&str> = shown.lines().filter(|line| line.contains("platform/ready-")).collect();
            if shown.contains("now: approve") && !ready.is_empty() && ready.iter().all(|line| line.ends_with("done")) {
                return;
            }
            SystemClock::new().sleep(Duration::from_millis(500)).await;
        }
        panic!("{run} never waits at its gate: {:?}", self.json(&["show", run]).await);
    }

    /// Waits for the only open run of a kind of goal.
    async fn open_run(&self, drill: &mut Program, goal: &str) -> String {
        for _ in 0..600 {
            drill.goes_on();
            let open = self.json(&["list", "--open"]).await;
            if let [run] = &open[..]
                && run["goal"]["kind"] == goal
            {
                return run["run"].as_str().unwrap().to_owned();
            }
            SystemClock::new().sleep(Duration::from_millis(200)).await;
        }
        panic!("no {goal} is ever open");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drill_is_steered_from_another_process() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    // A lease lasts 60 s of the lab's time: half as fast as elsewhere, for the processes that are started meanwhile.
    let lab = StandingLab::at_scale(folder.path(), "6").await;
    let client = lab.client().await;
    let report = folder.path().join("report");
    let terminal = Terminal { journal: report.join("journal.sqlite").to_str().unwrap().to_owned() };
    let mut drill = Program::start(
        DRILL,
        &[
            &["--lab", lab.argument(), "--yes", "--attended", "--fault", "refuse"][..],
            &["--spec", SPEC, "--report", report.to_str().unwrap()],
        ]
        .concat(),
    );

    // It waits at the gate, and says what to type.
    drill.says("approve").await;
    let run = terminal.open_run(&mut drill, "failover").await;
    terminal.until_only_the_gate_is_left(&mut drill, &run).await;
    let follower = Program::start(RUNS, &["--journal", &terminal.journal, "follow", &run]);
    let shown = terminal.runs(&["show"]).await;
    assert!(shown.out.contains("now: approve, reject, cancel"), "{}", shown.shown());

    // Paused and let go on; refused, and told why.
    terminal.decide(&["pause", &run]).await;
    assert_eq!(terminal.state(&run).await, "paused-by-operator");
    terminal.decide(&["resume"]).await;
    assert_eq!(terminal.state(&run).await, "waiting-for-approval");
    let refused = terminal.runs(&["skip", "--step", "no/such-step", "--who", "Ada"]).await;
    assert_eq!(refused.code, Some(3), "{}", refused.shown());
    assert!(refused.err.contains("has no step no/such-step"), "{}", refused.shown());
    let refused = terminal.runs(&["approve", "--plan", "0000", "--who", "Ada"]).await;
    assert_eq!(refused.code, Some(3), "{}", refused.shown());

    // Approved, while the promotion is refused by its API: the run waits for a decision, and is told to try again.
    let west = RegionId::new("eu-west-1").unwrap();
    let rule = FaultRule::new(Fault::Throttle).at(west).on("rds:FailoverGlobalCluster");
    client.inject(&FaultRequest { rules: vec![rule], ..FaultRequest::default() }).await.unwrap();
    terminal.decide(&["approve", &run]).await;
    terminal.until(&mut drill, &run, "paused-by-failure").await;
    let shown = terminal.runs(&["show", &run]).await;
    assert!(shown.out.contains(&format!("retry --step {PROMOTE}")), "{}", shown.shown());
    client.heal().await.unwrap();
    client.inject(&FaultPreset::Refuse.into()).await.unwrap();
    // Asked twice by one name, it is asked once.
    for _ in 0..2 {
        terminal.decide(&["retry", &run, "--step", PROMOTE, "--token", "ada-1"]).await;
    }
    terminal.until(&mut drill, &run, "completed").await;
    let followed = follower.end().await;
    assert_eq!(followed.code, Some(0), "{}", followed.shown());
    for told in ["waits for approval", "paused: as agreed", "goes on, says Ada", "Ada decided: approve", "ended: "] {
        assert!(followed.out.contains(told), "{told}: {}", followed.shown());
    }
    let exported = terminal.json(&["export", &run]).await;
    let count = |entry: &str| exported.iter().filter(|record| record["entry"].get(entry).is_some()).count();
    assert_eq!((count("retry-requested"), count("resumed"), count("approval-decided")), (1, 1, 1), "{exported:?}");

    // The way back is cancelled.
    let back = terminal.open_run(&mut drill, "failback").await;
    terminal.decide(&["cancel", &back]).await;
    let ended = drill.end().await;
    assert_eq!(ended.code, Some(3), "{}", ended.shown());
    assert!(ended.err.contains("is cancelled"), "{}", ended.shown());
    assert_eq!(terminal.state(&back).await, "cancelled");
    assert!(terminal.json(&["list", "--open"]).await.is_empty());
    assert_eq!(terminal.json(&["list"]).await.len(), 2);
    let late = terminal.runs(&["pause", &back, "--who", "Ada"]).await;
    assert_eq!(late.code, Some(3), "{}", late.shown());
    assert!(late.err.contains("has ended"), "{}", late.shown());

    // What was written is what is there.
    assert_eq!(terminal.json(&["verify"]).await.len(), 3, "two runs, and what was decided");
    // Weeks later, and in another process: why did it (not) fail over?
    let why = terminal.json(&["why"]).await;
    assert_eq!(why[0]["decision"]["from"], "us-east-1");
    assert_eq!(why[0]["decision"]["readings"].as_array().unwrap().len(), 2, "what was held of both regions");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_there_and_what_makes_no_sense_have_their_own_codes() {
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere.sqlite");
    let nowhere = nowhere.to_str().unwrap();
    for (arguments, code, named) in [
        (&["--journal", nowhere, "list"][..], 66, "no journal"),
        (&["--journal", nowhere], 64, "Usage"),
        (&["--journal", nowhere, "retry", "--who", "Ada"], 64, "--step"),
        (&["--journal", nowhere, "pause", "--who", " "], 64, "name"),
        (&["--journal", nowhere, "--wait", "soon", "list"], 64, "seconds"),
    ] {
        let ended = Program::start(RUNS, arguments).end().await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.shown());
        assert!(ended.err.contains(named) && ended.out.is_empty(), "{arguments:?}: {}", ended.shown());
        assert!(!std::path::Path::new(nowhere).exists(), "to look makes nothing");
    }
    let help = Program::start(RUNS, &["--help"]).end().await;
    assert_eq!(help.code, Some(0), "{}", help.shown());
    for command in
        ["list", "show", "follow", "pause", "resume", "retry", "skip", "ungraceful", "approve", "reject", "why", "stop"]
    {
        assert!(help.out.contains(&format!("  {command} ")), "{command}: {}", help.shown());
    }
    for word in ["cancel", "verify", "export", "Exit status"] {
        assert!(help.out.contains(word), "{word}: {}", help.shown());
    }
}
