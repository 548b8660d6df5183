//! Three observers as processes of their own: killed, stopped, cut off, and lying.

use std::{
    collections::BTreeMap,
    fs,
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use dr_core::{
    detect::{Opinion, Standing, Standings, Verdict, Watch},
    driver::Driver,
    event::{ChannelSink, Event, EventKind},
    model::{RegionId, VantageId},
    probe::CheckKind,
    spec::{Spec, SpecLoader},
    time::{Clock as _, SharedClock, SystemClock, timeout},
};
use dr_lab::{FaultPreset, LabClient, LabControl as _};
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    sync::{mpsc::UnboundedReceiver, watch},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use crate::process::{OBSERVER, Program, SPEC, StandingLab, turn};

/// How long anything may take in this machine's time. Nothing should ever take so long: it only ends what hangs.
const LIMIT: Duration = Duration::from_secs(300);
/// How many of the lab's seconds pass in one of this machine's. Four of them, after which a look fails, must be long enough
/// for a machine that is busy.
const SCALE: &str = "6";

const EAST: &str = "us-east-1";
const WEST: &str = "eu-west-1";
const CENTRAL: &str = "eu-central-1";
const REGIONS: [&str; 3] = [EAST, WEST, CENTRAL];

fn region(name: &str) -> RegionId {
    name.parse().unwrap()
}

fn observer(region: &str) -> VantageId {
    format!("observer-{region}").parse().unwrap()
}

/// An address that nobody listens at, on a part of the loopback network that nobody else uses.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.77.1:0").unwrap().local_addr().unwrap()
}

/// Answers whatever it is asked as a region does that is well, until it is dropped.
#[derive(Debug)]
struct Answering {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Answering {
    async fn at(address: SocketAddr) -> Self {
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let task = tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                tokio::spawn(async move {
                    let mut asked = [0; 2048];
                    // Whoever only connects asks nothing.
                    let Ok(length @ 1..) = stream.read(&mut asked).await else { return };
                    let status = if asked[..length].starts_with(b"POST") { "201 Created" } else { "200 OK" };
                    // What was written can be read back: its name is in the path.
                    let head = String::from_utf8_lossy(&asked[..length]);
                    let path = head.split(' ').nth(1).unwrap_or_default();
                    let body = format!(r#"{{"status":"ok","path":"{path}"}}"#);
                    let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}", body.len());
                    let _ = stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await;
                });
            }
        });
        Self { address, task }
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// One observer: where it listens, its key, and its process while there is one.
#[derive(Debug)]
struct Station {
    address: SocketAddr,
    key: PathBuf,
    process: Option<Program>,
}

/// A lab, the observers of it, and a watch that pulls from them.
#[derive(Debug)]
struct Stage {
    lab: LabClient,
    config: PathBuf,
    stations: BTreeMap<&'static str, Station>,
    standings: watch::Receiver<Standings>,
    events: UnboundedReceiver<Event>,
    stop: CancellationToken,
    standing: StandingLab,
    _folder: TempDir,
}

impl Stage {
    /// Everything stands, every observer looks, and both regions are known to be well.
    async fn set(environments: &[(&str, &[(&str, String)])]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let standing = StandingLab::at_scale(folder.path(), SCALE).await;
        let lab = standing.client().await;
        let mut stations = BTreeMap::new();
        let mut entries = String::new();
        for name in REGIONS {
            let (address, key) = (free_address(), folder.path().join(format!("{name}.key")));
            let made = Program::start(OBSERVER, &["--new-key", key.to_str().unwrap()]).end().await;
            assert_eq!(made.code, Some(0), "{}", made.shown());
            let public = made.out.trim();
            entries.push_str(&format!(
                "  - {{ id: observer-{name}, region: {name}, control: \"${{DR_LAB_CONTROL}}\", url: \"http://{address}\", key: {public} }}\n"
            ));
            stations.insert(name, Station { address, key, process: None });
        }
        let config = folder.path().join("dr.yaml");
        fs::write(&config, quickened(&entries)).unwrap();
        let clock = lab.clock();
        let spec = read(&config, &lab, &clock);
        let watching = Watch::of(&spec, &clock).unwrap();
        let (sender, standings) = watching.standings();
        let (sink, events) = ChannelSink::new();
        let stop = CancellationToken::new();
        tokio::spawn(watching.run(Arc::new(sink), sender, stop.clone()));
        let mut stage = Self { lab, config, stations, standings, events, stop, standing, _folder: folder };
        for name in REGIONS {
            let environment = environments.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, set)| *set);
            stage.start(name, environment).await;
        }
        stage
    }

    /// Starts an observer's process, at its address.
    async fn start(&mut self, name: &'static str, environment: &[(&str, String)]) {
        let station = self.stations.get_mut(name).unwrap();
        let mut command = Command::new(OBSERVER);
        command.arg("--config").arg(&self.config).arg("--as").arg(format!("observer-{name}"));
        command.arg("--listen").arg(station.address.to_string()).arg("--key").arg(&station.key);
        command.arg("--lab").arg(&self.standing.env_file).arg("--print-address");
        command.envs(environment.iter().map(|(name, value)| (name, value)));
        let mut process = Program::spawn(command);
        process.says(&station.address.to_string()).await;
        station.process = Some(process);
    }

    fn signal(&self, name: &str, signal: Signal) {
        self.stations[name].process.as_ref().unwrap().signal(signal);
    }

    async fn kill(&mut self, name: &str) {
        self.stations.get_mut(name).unwrap().process.take().unwrap().kill().await;
    }

    /// Waits until what is held of a region is as wanted.
    async fn until(&mut self, of: &str, what: &str, wanted: impl Fn(&Standing) -> bool) -> Standing {
        let id = region(of);
        let machine = SystemClock::new();
        let deadline = machine.monotonic() + LIMIT;
        // The reasons change without anybody being woken for it.
        while machine.monotonic() < deadline {
            let now = self.standings.borrow().get(&id).cloned();
            if let Some(found) = now.filter(|standing| wanted(standing)) {
                return found;
            }
            machine.sleep(Duration::from_millis(20)).await;
        }
        panic!("{of} was never {what}: {:#?}", self.standings.borrow().get(&id));
    }

    async fn well(&mut self) {
        for of in [EAST, WEST] {
            self.until(of, "seen to be well by all", |standing| {
                let all = standing.because.observers.iter().all(|(_, opinion)| *opinion == Opinion::Healthy);
                standing.verdict == Verdict::Healthy && all
            })
            .await;
        }
    }

    /// Waits until an observer holds this of a region, while the verdict is one of those.
    async fn holds(&mut self, who: &str, of: &str, opinion: Opinion, verdicts: &[Verdict]) -> Standing {
        let who = observer(who);
        let what = format!("held {opinion:?} by {who} and {verdicts:?}");
        self.until(of, &what, |standing| {
            verdicts.contains(&standing.verdict) && standing.because.observers.contains(&(who.clone(), opinion))
        })
        .await
    }

    /// Lets so many of the lab's seconds pass.
    async fn pass(&self, seconds: u64) {
        self.lab.clock().sleep(Duration::from_secs(seconds)).await;
    }

    /// The verdicts that there were on a region since this was last asked.
    fn verdicts(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Ok(event) = self.events.try_recv() {
            if let EventKind::Verdict { to, why, .. } = event.kind {
                told.push(format!("{to}: {why}"));
            }
        }
        told
    }

    /// Expects that nobody held a region lost since this was last asked.
    fn nobody_was_given_up(&mut self) {
        let told = self.verdicts();
        assert!(!told.iter().any(|why| why.starts_with("unhealthy") || why.starts_with("degraded")), "{told:#?}");
    }

    async fn lose(&self, fault: FaultPreset) {
        self.lab.inject(&fault.into()).await.unwrap();
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// The repository's dr.yaml with these observers, and with thresholds that take less waiting.
fn quickened(observers: &str) -> String {
    let text = fs::read_to_string(SPEC).unwrap();
    let (head, rest) = text.split_once("\nobservers:\n").unwrap();
    let (_, tail) = rest.split_once("\n\n").unwrap();
    let text = format!("{head}\nobservers:\n{observers}\n{tail}");
    let replaced = text
        .replace("interval: 10s", "interval: 5s")
        .replace("threshold: { trip: 3, clear: 5 }", "threshold: { trip: 2, clear: 2 }")
        .replace("dwell: 10s", "dwell: 5s");
    assert!(replaced.matches("interval: 5s").count() >= 2, "{replaced}");
    replaced
}

fn read(config: &Path, lab: &LabClient, clock: &SharedClock) -> Spec {
    let mut loader = SpecLoader::new().variables(lab.endpoints().variables());
    let offline = dr_aws::Clients::offline(clock.clone());
    let aws: Vec<Arc<dyn Driver>> = dr_aws::drivers(&offline).unwrap();
    for driver in aws.into_iter().chain(dr_k8s::drivers(clock)) {
        loader = loader.driver_schema(driver.kind(), driver.schema());
    }
    loader.load_str("dr.yaml", &fs::read_to_string(config).unwrap()).unwrap_or_else(|errors| panic!("{errors}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn any_one_observer_that_is_stopped_killed_or_cut_off_changes_nothing() {
    let _turn = turn().await;
    let control = Answering::at("127.0.77.1:0".parse().unwrap()).await;
    let address = control.address;
    let environment = [("DR_LAB_CONTROL", address.to_string())];
    let mut stage = Stage::set(&[(CENTRAL, &environment)]).await;
    stage.well().await;

    // Stopped: it accepts connections and answers nothing.
    stage.signal(WEST, Signal::STOP);
    stage.holds(WEST, EAST, Opinion::Unknown, &[Verdict::Healthy]).await;
    stage.signal(WEST, Signal::CONT);
    stage.well().await;

    // Killed, and started anew: another life, which counts from one.
    stage.kill(WEST).await;
    stage.holds(WEST, EAST, Opinion::Unknown, &[Verdict::Healthy]).await;
    stage.start(WEST, &[]).await;
    stage.well().await;

    // Cut off from everything but us: it says so itself.
    drop(control);
    let standing = stage.holds(CENTRAL, EAST, Opinion::Unknown, &[Verdict::Healthy]).await;
    let said = standing.because.evidence.iter().find(|e| e.vantage == observer(CENTRAL)).unwrap();
    assert!(said.last.contains("control target"), "{said:?}");
    let _control = Answering::at(address).await;
    stage.well().await;
    stage.nobody_was_given_up();

    // With one of them gone for good, the loss of a region is still noticed.
    stage.kill(EAST).await;
    stage.holds(EAST, EAST, Opinion::Unknown, &[Verdict::Healthy]).await;
    stage.lose(FaultPreset::Blackhole).await;
    let lost = stage.until(EAST, "held lost", |standing| standing.verdict == Verdict::Unhealthy).await;
    assert!(!lost.because.holding(|opinion| opinion == Opinion::Down).any(|who| *who == observer(EAST)), "{lost:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_observers_cut_off_hold_and_the_reason_is_shown() {
    let _turn = turn().await;
    let mut stage = Stage::set(&[]).await;
    stage.well().await;
    stage.signal(CENTRAL, Signal::STOP);
    stage.kill(WEST).await;
    let unknown = |standing: &Standing| {
        standing.verdict == Verdict::Unknown
            && standing.because.evidence.iter().any(|e| e.last.contains("cannot be reached: connection refused"))
            && standing.because.evidence.iter().any(|e| e.last.contains("cannot be reached: no answer within 4 s"))
    };
    let held = stage.until(EAST, "unknown, for a reason that is shown", unknown).await;
    assert!(held.why.contains("cannot be reached"), "{}", held.why);
    // Nobody is left to say that the region is lost, so nobody says it.
    stage.lose(FaultPreset::Refuse).await;
    stage.holds(EAST, EAST, Opinion::Down, &[Verdict::Unknown]).await;
    stage.pass(60).await;
    assert_eq!(stage.standings.borrow()[&region(EAST)].verdict, Verdict::Unknown);
    stage.nobody_was_given_up();
    // One of them back, and it is said.
    stage.signal(CENTRAL, Signal::CONT);
    stage.until(EAST, "held lost", |standing| standing.verdict == Verdict::Unhealthy).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_judged_region_s_own_observer_can_lie_as_it_likes() {
    let _turn = turn().await;
    // A process with the right key that signs what is not so: it is made to look at something else.
    let nowhere = [("DR_LAB_APPLICATION_US_EAST_1", format!("http://{}", free_address()))];
    let mut stage = Stage::set(&[(EAST, &nowhere)]).await;
    let unmoved = [Verdict::Healthy, Verdict::Suspect];
    stage.holds(EAST, EAST, Opinion::Down, &unmoved).await;
    stage.holds(CENTRAL, EAST, Opinion::Healthy, &unmoved).await;
    stage.pass(40).await;
    let standing = stage.standings.borrow()[&region(EAST)].clone();
    assert!(unmoved.contains(&standing.verdict), "{standing:#?}");
    stage.nobody_was_given_up();

    // And the reverse: the region is lost, and its observer swears that it is well.
    let facade = Answering::at("127.0.77.1:0".parse().unwrap()).await;
    stage.kill(EAST).await;
    stage.start(EAST, &[("DR_LAB_APPLICATION_US_EAST_1", format!("http://{}", facade.address))]).await;
    stage.holds(EAST, EAST, Opinion::Healthy, &[Verdict::Healthy]).await;
    stage.lose(FaultPreset::Blackhole).await;
    stage.holds(EAST, EAST, Opinion::Healthy, &[Verdict::Unhealthy]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gray_failure_is_caught_by_the_write_while_every_health_is_green() {
    let _turn = turn().await;
    let mut stage = Stage::set(&[]).await;
    stage.well().await;
    stage.lose(FaultPreset::Gray).await;
    let lost = stage
        .until(EAST, "held lost for its writes", |standing| {
            standing.verdict == Verdict::Unhealthy && standing.because.gray.is_some()
        })
        .await;
    let evidence = |kind| lost.because.evidence.iter().filter(move |e| e.kind == kind);
    assert!(evidence(CheckKind::Infrastructure).all(|e| e.opinion == Opinion::Healthy), "{lost:#?}");
    assert!(evidence(CheckKind::Transaction).filter(|e| e.opinion == Opinion::Down).count() >= 2, "{lost:#?}");
    let west = stage.standings.borrow()[&region(WEST)].verdict;
    assert_eq!(west, Verdict::Healthy, "the standby is well");
}

/// What somebody reads who asks an observer without pulling from it, and how it ends.
#[tokio::test(flavor = "multi_thread")]
async fn an_observer_tells_who_it_is_and_ends_when_it_is_told_to() {
    let _turn = turn().await;
    let mut stage = Stage::set(&[]).await;
    stage.well().await;
    let address = stage.stations[CENTRAL].address;
    let identity = get(address, "/identity").await;
    assert!(identity.contains("\"observer\":\"observer-eu-central-1\""), "{identity}");
    assert!(identity.contains("\"fingerprint\":\"sha256:"), "{identity}");
    let health = get(address, "/health").await;
    assert!(health.starts_with("HTTP/1.1 200") && health.contains("\"status\":\"observing\""), "{health}");
    let unasked = get(address, "/v1/readings").await;
    assert!(unasked.starts_with("HTTP/1.1 400"), "nothing is signed without a nonce: {unasked}");
    stage.signal(CENTRAL, Signal::TERM);
    let process = stage.stations.get_mut(CENTRAL).unwrap().process.take().unwrap();
    let ended = timeout(&SystemClock::new(), LIMIT, process.end()).await.unwrap();
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{}", ended.shown());
}

async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes())
        .await
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn an_observer_that_cannot_begin_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.key");
    let key = folder.path().join("observer.key");
    let (absent, key) = (absent.to_str().unwrap(), key.to_str().unwrap());
    assert_eq!(Program::start(OBSERVER, &["--new-key", key]).end().await.code, Some(0));
    for (arguments, code, why) in [
        (&["--as", "observer-eu-central-1"][..], 64, "--key"),
        (&["--as", "observer-eu-central-1", "--key", absent, "--config", SPEC], 66, "--new-key"),
        (
            &["--as", "observer-ap-south-1", "--key", key, "--config", SPEC],
            64,
            "no observer is called observer-ap-south-1",
        ),
        (&["--as", "observer-eu-central-1", "--key", key, "--config", absent], 66, "--config"),
        (&["--as", "observer-eu-central-1", "--key", SPEC, "--config", SPEC], 64, "is no Ed25519 key"),
        (
            &["--as", "observer-eu-central-1", "--key", key, "--config", SPEC, "--listen", "203.0.113.1:1"],
            74,
            "cannot listen",
        ),
        (&["--new-key", key], 73, "no key at"),
        (&["--help"], 0, "/v1/readings"),
    ] {
        let ended = Program::start(OBSERVER, arguments).end().await;
        assert_eq!(ended.code, Some(code), "{arguments:?}: {}", ended.shown());
        assert!(ended.shown().contains(why), "{arguments:?}: {}", ended.shown());
    }
}
