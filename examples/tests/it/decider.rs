//! The decider as a process of its own, with a region to lose, and people who speak to it through the journal.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use dr_core::time::{Clock as _, SystemClock};
use dr_lab::{FaultPreset, LabClient, LabControl as _};
use rustix::process::Signal;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::process::{DECIDER, Ended, Program, RUNS, SPEC, StandingLab, turn};

/// How long anything may take in this machine's time. Nothing should ever take so long: it only ends what hangs.
const LIMIT: Duration = Duration::from_secs(300);
/// How many of the lab's seconds pass in one of this machine's: see the observers' tests.
const SCALE: &str = "6";

/// A lab, and what deciders of it are started with.
#[derive(Debug)]
struct Stage {
    lab: LabClient,
    config: PathBuf,
    journal: PathBuf,
    standing: StandingLab,
    folder: TempDir,
}

impl Stage {
    async fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let standing = StandingLab::at_scale(folder.path(), SCALE).await;
        let lab = standing.client().await;
        let (config, journal) = (folder.path().join("dr.yaml"), folder.path().join("journal.sqlite"));
        fs::write(&config, quickened()).unwrap();
        Self { lab, config, journal, standing, folder }
    }

    /// Starts a decider of this mode.
    fn decider(&self, mode: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Program {
        let mut command = Command::new(DECIDER);
        command.arg("--lab").arg(&self.standing.env_file);
        if !arguments.contains(&"--config") {
            command.arg("--config").arg(&self.config);
        }
        if !arguments.contains(&"--journal") {
            command.arg("--journal").arg(&self.journal);
        }
        command.args(arguments).env("DR_DECISION_MODE", mode);
        command.env("DR_APPROVAL", if mode == "automatic" { "automatic" } else { "required" });
        command.env("DR_KILL_SWITCH", self.folder.path().join("stop"));
        command.envs(environment.iter().copied());
        Program::spawn(command)
    }

    async fn runs(&self, arguments: &[&str]) -> Ended {
        let (journal, lab) = (self.journal.to_str().unwrap(), self.standing.argument());
        Program::start(RUNS, &[&["--journal", journal, "--lab", lab], arguments].concat()).end().await
    }

    /// The goal and state of each run, oldest first.
    async fn listed(&self) -> Vec<(String, String)> {
        let listed = self.runs(&["--json", "list"]).await;
        assert_eq!(listed.code, Some(0), "{}", listed.shown());
        let word = |value: &Value| value.as_str().unwrap().to_owned();
        let runs = listed.out.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        runs.map(|run| (word(&run["goal"]["kind"]), word(&run["state"]))).collect()
    }

    async fn failovers(&self) -> Vec<String> {
        let runs = self.listed().await.into_iter();
        runs.filter(|(kind, _)| kind == "failover").map(|(_, state)| state).collect()
    }

    /// Waits until `runs why` has an answer that says all of this, and gives it.
    async fn why(&self, says: &[&str]) -> String {
        let machine = SystemClock::new();
        let deadline = machine.monotonic() + LIMIT;
        loop {
            let why = self.runs(&["why"]).await;
            if says.iter().all(|text| why.out.contains(text)) {
                return why.out;
            }
            assert!(machine.monotonic() < deadline, "waited in vain for {says:?}:\n{}", why.shown());
            machine.sleep(Duration::from_millis(300)).await;
        }
    }

    async fn pass(&self, seconds: u64) {
        self.lab.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// Waits until the decider finds both regions well.
    async fn well(&self, decider: &mut Program) {
        decider.says("verdict: us-east-1 healthy").await;
        // The standby has to have been well for a while: that is a condition.
        self.pass(60).await;
        decider.goes_on();
    }
}

/// The repository's dr.yaml with thresholds that take less waiting, no window that may be open just now, and a condition on
/// how far the database is behind.
fn quickened() -> String {
    let text = fs::read_to_string(SPEC).unwrap();
    let (head, rest) = text.split_once("  windows:\n").unwrap();
    let (_, tail) = rest.split_once("  kill_switch:").unwrap();
    let lag = "    - { id: orders-close, kind: replication-lag, resource: orders-db, at_most: 1m, fresh: 10m }\n";
    let replaced = format!("{head}{lag}  kill_switch:{tail}")
        .replace("interval: 10s", "interval: 5s")
        .replace("threshold: { trip: 3, clear: 5 }", "threshold: { trip: 2, clear: 2 }")
        .replace("dwell: 10s", "dwell: 5s");
    assert!(replaced.matches("interval: 5s").count() >= 2, "{replaced}");
    replaced
}

async fn ended_by_signal(mut decider: Program) -> Ended {
    decider.goes_on();
    decider.signal(Signal::TERM);
    let ended = decider.end().await;
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.shown());
    ended
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_region_is_left_exactly_once_though_the_decider_is_restarted_in_between() {
    let _turn = turn().await;
    let stage = Stage::set().await;
    let mut decider = stage.decider("automatic", &[], &[]);
    stage.well(&mut decider).await;
    assert!(stage.failovers().await.is_empty());
    stage.lab.inject(&FaultPreset::Blackhole.into()).await.unwrap();
    // Told to stop in the midst of the failover: it ends at once, and the run stays as it is.
    decider.says("orders-db/promote: Promote").await;
    let ended = ended_by_signal(decider).await;
    assert!(ended.out.contains("while run "), "{}", ended.shown());
    let states = stage.failovers().await;
    assert!(matches!(&states[..], [state] if state == "running"), "{states:?}");
    // Another takes it up once the lease has lapsed, and begins none of its own.
    let mut decider = stage.decider("automatic", &[], &[]);
    decider.says("taken up: failover").await;
    decider.says("(failover) is completed").await;
    let why = stage.why(&["act: failover", "the condition orders-close"]).await;
    assert!(why.contains("observer-eu-central-1"), "{why}");

    // The region is back, and then the other is lost: the block period holds, and so does that nothing goes back by itself.
    stage.lab.heal().await.unwrap();
    decider.says("verdict: us-east-1 healthy").await;
    ended_by_signal(decider).await;
    let mut decider = stage.decider("automatic", &[], &[]);
    decider.says("verdict: us-east-1 healthy").await;
    let west = dr_lab::FaultRequest {
        preset: Some(FaultPreset::Refuse),
        region: Some("eu-west-1".parse().unwrap()),
        ..dr_lab::FaultRequest::default()
    };
    stage.lab.inject(&west).await.unwrap();
    decider.says("verdict: eu-west-1 unhealthy").await;
    // Only these keep it, as soon as what it writes down has caught up with the verdict.
    let kept = ["nothing starts by itself for another", "which was left before, is a failback", "region-lost holds"];
    stage.why(&kept).await;
    stage.pass(60).await;
    assert_eq!(stage.failovers().await, ["completed"], "exactly once");
    ended_by_signal(decider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_waits_for_a_yes_behind_the_kill_switch_and_says_that_its_run_waits() {
    let _turn = turn().await;
    let stage = Stage::set().await;
    let mut decider = stage.decider("ask", &[], &[]);
    stage.well(&mut decider).await;
    let by = ["--who", "ada", "--why", "change freeze"];
    let stopped = stage.runs(&[&["stop"], &by[..]].concat()).await;
    assert_eq!(stopped.code, Some(0), "{}", stopped.shown());
    stage.lab.inject(&FaultPreset::Refuse.into()).await.unwrap();
    decider.says("verdict: us-east-1 unhealthy").await;
    let why = stage.why(&["the kill switch is on (journal), by ada: change freeze"]).await;
    assert!(why.contains("Did not fail over from us-east-1"), "{why}");
    stage.pass(60).await;
    assert!(stage.listed().await.is_empty(), "nothing started, and nothing was warmed");

    // Others who look at the same say what they would do, and do nothing.
    let elsewhere = stage.folder.path().join("elsewhere.sqlite");
    let journal = ["--journal", elsewhere.to_str().unwrap()];
    let mut dry = stage.decider("automatic", &[&journal[..], &["--dry-run"]].concat(), &[]);
    // The lag is known to those who have asked before the region was lost, and to those who ask the standby.
    dry.says("decider: would act: failover (ungraceful) from us-east-1 to eu-west-1").await;
    ended_by_signal(dry).await;
    assert!(!elsewhere.exists(), "a dry run makes no journal");
    // Nothing is warmed where somebody starts everything by hand, and dr.yaml may not say otherwise.
    let by_hand = stage.folder.path().join("by-hand.yaml");
    fs::write(&by_hand, quickened().replace("  prewarm: { per_hour: 3, keep: 15m }\n", "")).unwrap();
    let by_hand = ["--config", by_hand.to_str().unwrap()];
    let mut manual = stage.decider("manual", &[&journal[..], &by_hand].concat(), &[]);
    manual
        .says("somebody starts failovers by hand; nothing else speaks against going from us-east-1 to eu-west-1")
        .await;
    ended_by_signal(manual).await;
    assert!(stage.listed().await.is_empty());

    let started = stage.runs(&["start", "--who", "ada"]).await;
    assert_eq!(started.code, Some(0), "{}", started.shown());
    decider.says("ask: us-east-1 is lost: fail over to eu-west-1?").await;
    stage.pass(60).await;
    assert!(stage.failovers().await.is_empty(), "nobody has said yes");
    let yes = stage.runs(&["yes", "--who", "grace", "--why", "seen it"]).await;
    assert_eq!(yes.code, Some(0), "{}", yes.shown());

    // The plan asks once more before it burns the bridge. Nobody answers, and it is said, more than once.
    decider.says("waits for somebody: waiting for approval").await;
    decider.says("and goes no further by itself: waiting for approval").await;
    stage.why(&["has not ended: failover", "it waits for somebody: waiting for approval: "]).await;
    let approved = stage.runs(&["approve", "--who", "grace"]).await;
    assert_eq!(approved.code, Some(0), "{}", approved.shown());
    decider.says("(failover) is completed").await;
    let why = stage.why(&["act: failover", "as grace said"]).await;
    assert!(why.contains("grace said yes: seen it"), "{why}");
    assert_eq!(stage.failovers().await, ["completed"]);
    ended_by_signal(decider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn observers_that_are_cut_off_themselves_start_nothing() {
    let _turn = turn().await;
    let stage = Stage::set().await;
    let control = TcpListener::bind("127.0.78.1:0").await.unwrap();
    let address = control.local_addr().unwrap().to_string();
    let answering = tokio::spawn(async move {
        loop {
            drop(control.accept().await);
        }
    });
    let mut decider = stage.decider("automatic", &[], &[("DR_LAB_CONTROL", &address)]);
    stage.well(&mut decider).await;
    // Nobody listens at the control target any more: whatever they do not reach may be their own fault.
    answering.abort();
    stage.lab.inject(&FaultPreset::Refuse.into()).await.unwrap();
    decider.says("verdict: us-east-1 unknown").await;
    let why = stage.why(&["the region is not held lost", "control target"]).await;
    assert!(why.contains("us-east-1 unknown"), "{why}");
    stage.pass(120).await;
    assert!(stage.failovers().await.is_empty());
    ended_by_signal(decider).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decider_that_cannot_begin_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let text = quickened();
    let unfed =
        file("unfed.yaml", &text.replace("kind: standby-healthy, for: 30s", "kind: signal, signal: tea-leaves"));
    let laggard = file("lag.yaml", &text.replace("resource: orders-db, at_most", "resource: platform, at_most"));
    let absent = folder.path().join("absent.yaml").to_str().unwrap().to_owned();
    for (arguments, code, why) in [
        (&["--nonsense"][..], 64, "unexpected argument"),
        (&["--config", &absent], 66, "--config"),
        (&["--config", SPEC, "--lab", &absent], 66, "no lab stands"),
        (&["--config", &unfed], 64, "waits for the signal tea-leaves, which nobody gives"),
        (&["--config", &laggard], 64, "how far platform is behind, which nobody tells; told: orders-db, sessions"),
        (&["--help"], 0, "`runs why` tells it"),
    ] {
        let mut command = Command::new(DECIDER);
        command.args(arguments).arg("--journal").arg(Path::new(&absent).with_extension("sqlite"));
        let ended = Program::spawn(command).end().await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.shown());
        assert!(ended.shown().contains(why), "{arguments:?}: {}", ended.shown());
    }
    assert!(!Path::new(&absent).with_extension("sqlite").exists(), "nothing was begun");
}

#[tokio::test(flavor = "multi_thread")]
async fn with_its_journal_in_a_bucket_it_is_stopped_and_asked_why_from_another_machine() {
    const IN_A_FILE: &str = "  store: sqlite\n  path: ${DR_JOURNAL:-journal.sqlite}\n";
    const IN_A_BUCKET: &str = "  store: s3\n  bucket: ecommerce-dr-journal-eu-central-1\n";
    let _turn = turn().await;
    let stage = Stage::set().await;
    let text = quickened();
    assert!(text.contains(IN_A_FILE), "{text}");
    fs::write(&stage.config, text.replace(IN_A_FILE, IN_A_BUCKET)).unwrap();
    let here = ["--config", stage.config.to_str().unwrap(), "--lab", stage.standing.argument()];
    let runs = |arguments: &[&str]| {
        let program = Program::start(RUNS, &[&here, arguments].concat());
        program.end()
    };
    let stop = runs(&["stop", "--who", "Ada", "--why", "the data centre moves"]).await;
    assert_eq!(stop.code, Some(0), "{}", stop.shown());

    let mut command = Command::new(DECIDER);
    command.args(here).envs([("DR_DECISION_MODE", "automatic"), ("DR_APPROVAL", "automatic")]);
    command.env("DR_KILL_SWITCH", stage.folder.path().join("stop"));
    let mut decider = Program::spawn(command);
    decider.says("journal s3://ecommerce-dr-journal-eu-central-1/dr").await;
    let machine = SystemClock::new();
    let deadline = machine.monotonic() + LIMIT;
    loop {
        let why = runs(&["why"]).await;
        if why.out.contains("the data centre moves") {
            break;
        }
        assert!(machine.monotonic() < deadline, "{}", why.shown());
        machine.sleep(Duration::from_millis(300)).await;
    }
    ended_by_signal(decider).await;
    assert!(!stage.journal.exists());
}
