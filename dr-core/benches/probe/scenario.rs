use std::{
    env,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde_json::Value;

use crate::{
    Outcome,
    arrivals::Rhythm,
    blackbox,
    child::Process,
    estate::{Estate, Wire},
    haproxy, load,
    measure::Measure,
};

/// How long a contender runs before anything is counted: all of its targets have had their turn then, twice.
const WARM_UP: f64 = 2.0;

/// The fewest looks whose cost says anything.
const FEWEST: u64 = 500;

/// Who looks.
#[derive(Clone, Debug)]
enum Contender {
    Ours,
    Haproxy(PathBuf),
    Blackbox(PathBuf),
}

/// A contender's run over an estate.
struct Run {
    /// CPU time for 1,000 looks, in milliseconds.
    cpu: f64,
    /// How many processors it kept busy.
    processors: f64,
    rhythm: Rhythm,
    /// What it printed at its end.
    told: Option<Value>,
}

/// What a rhythm is judged by: the name, the figure, its unit, the goal.
type Figure = (&'static str, fn(&Rhythm) -> f64, &'static str, f64);

/// A peer, or why it is not here.
type Peer = Result<Contender, String>;

/// Everything, one after the other.
pub(crate) fn run() -> Outcome {
    let folder = tempfile::tempdir()?;
    let seconds: f64 = env::var("DR_BENCH_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(20.0);
    let (haproxy, blackbox) = (peer("HAPROXY", Contender::Haproxy), peer("BLACKBOX", Contender::Blackbox));
    for (name, peer) in [("HAProxy", &haproxy), ("blackbox_exporter", &blackbox)] {
        if let Err(why) = peer {
            eprintln!("{name} is absent: {why}");
        }
    }
    let before = load::average();
    let bench = Bench { folder: folder.path(), seconds };
    bench.wire(Wire::Http, 2_000, &haproxy, &blackbox)?;
    bench.wire(Wire::Https, 1_000, &haproxy, &blackbox)?;
    bench.memory(&haproxy)?;
    bench.many()?;
    Measure::lower("load of the machine, before", before, "processes").print();
    Measure::lower("load of the machine, after", load::average(), "processes").print();
    Ok(())
}

fn peer(name: &str, contender: fn(PathBuf) -> Contender) -> Peer {
    let told = |what: String| env::var_os(what).filter(|value| !value.is_empty());
    match told(format!("DR_BENCH_{name}")) {
        Some(program) => Ok(contender(program.into())),
        None => Err(told(format!("DR_BENCH_{name}_ABSENT"))
            .map_or_else(|| "nobody said where it is".to_owned(), |why| why.to_string_lossy().into_owned())),
    }
}

struct Bench<'a> {
    folder: &'a Path,
    seconds: f64,
}

impl Bench<'_> {
    /// All contenders at one look a second for each target.
    fn wire(&self, wire: Wire, targets: u32, haproxy: &Peer, blackbox: &Peer) -> Outcome {
        let mut server = Process::again(["server".to_owned(), wire.to_string()])?;
        let port = server.line()?.parse()?;
        let estate = Estate { wire, port, targets, interval: Duration::from_secs(1) };
        let ours = self.run_one(&Contender::Ours, &mut server, &estate)?;
        all_well(&ours)?;
        let mut beside = |peer: &Peer| -> Outcome<Option<Run>> {
            let Ok(peer) = peer else { return Ok(None) };
            let run = self.run_one(peer, &mut server, &estate)?;
            // A peer that could hardly run would be compared with nothing.
            if run.rhythm.arrivals < FEWEST {
                return Err(format!("{peer:?} made {} looks", run.rhythm.arrivals).into());
            }
            Ok(Some(run))
        };
        let haproxy_run = beside(haproxy)?;
        let blackbox_run = beside(blackbox)?;
        let what = match wire {
            Wire::Http => format!("HTTP, new connection, {targets} targets × 1 s"),
            Wire::Https => format!("HTTPS verified, {targets} targets × 1 s"),
        };
        let goal = match (wire, &haproxy_run) {
            (Wire::Http, Some(run)) => run.cpu,
            (Wire::Http, None) => 26.0,
            (Wire::Https, _) => 280.0,
        };
        let cpu = Measure::lower(format!("CPU for 1,000 looks: {what}"), ours.cpu, "ms").goal(goal);
        with(cpu, "HAProxy", haproxy, haproxy_run.as_ref().map(|run| run.cpu)).print();
        let cpu = Measure::lower("the same", ours.cpu, "ms");
        let times = blackbox_run.as_ref().map(|run| run.cpu / cpu.value());
        with(cpu, "blackbox_exporter", blackbox, blackbox_run.as_ref().map(|run| run.cpu)).print();
        if let (Wire::Http, Some(times)) = (wire, times) {
            Measure::higher("how many times less than blackbox_exporter", times, "×").goal(18.0).print();
        }
        let peers =
            [("HAProxy", haproxy, &haproxy_run), ("blackbox_exporter, as it was asked", blackbox, &blackbox_run)];
        for (i, (name, peer, run)) in peers.into_iter().enumerate() {
            let rhythm = run.as_ref().map(|run| &run.rhythm);
            let due = estate.rate() * self.seconds;
            let made = |rhythm: &Rhythm| rhythm.arrivals as f64 / due * 100.0;
            let measure = Measure::higher(format!("looks made of those due: {what}"), made(&ours.rhythm), "%");
            with(measure, name, peer, rhythm.map(made)).print();
            let figures: [Figure; 3] = [
                ("mean period error", |rhythm| rhythm.period_error, "%", 0.01),
                ("p99 interval", |rhythm| rhythm.p99_interval_ms, "ms", 1_025.0),
                ("largest burst in 10 ms", |rhythm| rhythm.burst as f64, "looks", 60.0),
            ];
            for (figure, of, unit, goal) in figures {
                let measure = Measure::lower(format!("{figure}: {what}"), of(&ours.rhythm), unit);
                let measure = if wire == Wire::Http && i == 0 { measure.goal(goal) } else { measure };
                with(measure, name, peer, rhythm.map(of)).print();
            }
        }
        Ok(())
    }

    /// The memory that a target takes, its 128 looks included.
    fn memory(&self, haproxy: &Peer) -> Outcome {
        for (wire, goal) in [(Wire::Http, Some(4096.0)), (Wire::Https, None)] {
            let ours = self.bytes_a_target(&Contender::Ours, wire)?;
            let theirs = match haproxy {
                Ok(contender) => Some(self.bytes_a_target(contender, wire)?),
                Err(_) => None,
            };
            let mut measure = Measure::lower(format!("memory a target: {wire}, 10,000 targets × 10 s"), ours, "bytes");
            if let Some(goal) = goal {
                measure = measure.goal(goal);
            }
            with(measure, "HAProxy, which keeps the last look", haproxy, theirs).print();
        }
        Ok(())
    }

    fn bytes_a_target(&self, contender: &Contender, wire: Wire) -> Outcome<f64> {
        const FEW: u32 = 1_000;
        const MANY: u32 = 10_000;
        let mut held = Vec::new();
        for targets in [FEW, MANY] {
            let mut server = Process::again(["server".to_owned(), wire.to_string()])?;
            let port = server.line()?.parse()?;
            // The same rate in both, so that what is under way takes the same.
            let estate = Estate { wire, port, targets, interval: Duration::from_millis(u64::from(targets)) };
            let (watched, _driver) = self.start(contender, &estate)?;
            thread::sleep(Duration::from_secs_f64(WARM_UP * 2.0));
            held.push(watched.memory()?);
        }
        let [few, many] = held[..] else { return Err("two runs give two figures".into()) };
        Ok((many - few) / f64::from(MANY - FEW))
    }

    /// Ours over 100,000 targets.
    fn many(&self) -> Outcome {
        let mut server = Process::again(["server", "http"])?;
        let port = server.line()?.parse()?;
        let estate = Estate { wire: Wire::Http, port, targets: 100_000, interval: Duration::from_secs(10) };
        let seconds = self.seconds.max(10.0) * 1.5;
        let run = Bench { seconds, ..*self }.run_one(&Contender::Ours, &mut server, &estate)?;
        let what = "100,000 targets × 10 s";
        let made = run.rhythm.arrivals as f64 / (estate.rate() * seconds) * 100.0;
        let told =
            |key: &str| run.told.as_ref().and_then(|told| told.get(key)).and_then(Value::as_f64).unwrap_or(f64::NAN);
        let looks = told("looks").max(1.0);
        Measure::higher(format!("looks made of those due: {what}"), made, "%").goal(99.9).print();
        Measure::higher(format!("looks healthy: {what}"), told("healthy") / looks * 100.0, "%").goal(99.9).print();
        Measure::lower(format!("turns given up for overload: {what}"), told("overloaded"), "turns").goal(0.0).print();
        Measure::lower(format!("looks thrown away for pauses: {what}"), told("polluted"), "looks").print();
        Measure::lower(format!("processors in use: {what}"), run.processors, "processors").goal(2.0).print();
        Measure::lower(format!("CPU for 1,000 looks: {what}"), run.cpu, "ms").print();
        Measure::lower(format!("mean period error: {what}"), run.rhythm.period_error, "%").goal(0.01).print();
        Measure::lower(format!("p99 interval: {what}"), run.rhythm.p99_interval_ms, "ms").goal(10_025.0).print();
        Measure::lower(format!("largest burst in 10 ms: {what}"), run.rhythm.burst as f64, "looks").print();
        Ok(())
    }

    fn run_one(&self, contender: &Contender, server: &mut Process, estate: &Estate) -> Outcome<Run> {
        let (watched, driver) = self.start(contender, estate)?;
        let rounds = estate.interval.as_secs_f64();
        thread::sleep(Duration::from_secs_f64(WARM_UP.max(rounds * 1.2)));
        server.say("begin")?;
        let before = watched.cpu()?;
        thread::sleep(Duration::from_secs_f64(self.seconds));
        let spent = watched.cpu()?.saturating_sub(before).as_secs_f64();
        server.say(&format!("tell {}", estate.interval.as_millis()))?;
        let rhythm = Rhythm::read(&server.told()?).ok_or("the server told no rhythm")?;
        let told = match (contender, driver) {
            (Contender::Ours, _) => Some(watched.finish()?),
            (_, Some(driver)) => Some(driver.finish()?),
            _ => None,
        };
        if let Some(told) = &told {
            eprintln!("{contender:?} at {estate}: {told}");
        }
        let cpu = spent * 1e3 / (rhythm.arrivals.max(1) as f64 / 1e3);
        Ok(Run { cpu, processors: spent / self.seconds, rhythm, told })
    }

    /// The process whose cost is measured, and the one that drives it, where it does not run by itself.
    fn start(&self, contender: &Contender, estate: &Estate) -> Outcome<(Process, Option<Process>)> {
        Ok(match contender {
            Contender::Ours => (Process::again(["ours".to_owned(), estate.to_string()])?, None),
            Contender::Haproxy(program) => (haproxy::start(program, self.folder, estate)?, None),
            Contender::Blackbox(program) => {
                let (process, address) = blackbox::start(program, self.folder)?;
                (process, Some(Process::again(["drive".to_owned(), address.to_string(), estate.to_string()])?))
            }
        })
    }
}

/// A figure of ours stands for looks that succeeded.
fn all_well(run: &Run) -> Outcome {
    let told = run.told.as_ref().ok_or("our sampler told nothing")?;
    let count = |key: &str| told.get(key).and_then(Value::as_u64).unwrap_or_default();
    if count("unhealthy") > 0 || count("healthy") == 0 {
        return Err(format!("our looks failed: {told}").into());
    }
    Ok(())
}

fn with(measure: Measure, name: &str, peer: &Peer, value: Option<f64>) -> Measure {
    match (peer, value) {
        (_, Some(value)) => measure.peer(name, value),
        (Err(why), None) => measure.peer(&format!("{name}, absent: {why}"), None),
        (Ok(_), None) => measure,
    }
}
