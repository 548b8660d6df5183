//! What a prediction costs: ten thousand drills of a twenty-step plan with a hundred clients, beside the same model written in
//! simpy and played in the same call.
//!
//! The peer is the script that `DR_BENCH_PEER_SCRIPT` names, run by the program that `DR_BENCH_PEER` names, a Python that has
//! simpy; without them only our own figures are printed.
//! Both count the CPU time that the play itself takes, without start-up.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a benchmark whose own model or figures are broken has nothing to measure"
)]

#[path = "cpu/mod.rs"]
mod cpu;

use std::{env, fs, process::Command, time::Duration};

use dr_core::{
    estimate::{
        ClientModel, DetectionModel, Distribution, Model, ObserverModel, ProbeModel, ReplicationModel, StepModel,
        Symptom, TrafficModel, predict,
    },
    plan::Phase,
    spec::ObjectivesSpec,
};
use serde_json::{Value, json};

const ROUNDS: usize = 5;

const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

/// Twenty steps in five layers of four, each waiting for one or two of the layer before, and a shift at the end.
fn model() -> Model {
    let name = |at: usize| format!("step-{at}").parse().expect("a name");
    let step = |at: usize, after: Vec<usize>| StepModel {
        id: name(at),
        phase: if at == 19 { Phase::Shift } else { Phase::Promote },
        after: after.into_iter().map(name).collect(),
        takes: Distribution::spread(s(4 + at as u64 % 7), s(12 + at as u64 % 11)),
        fails: 0.01,
        timeout: s(60),
        attempts: 3,
        first_pause: s(1),
        most_pause: s(10),
    };
    let mut steps: Vec<StepModel> = (0..19)
        .map(|at| {
            let after = if at < 4 { Vec::new() } else { vec![at - 4, (at / 4 - 1) * 4 + (at + 1) % 4] };
            step(at, after)
        })
        .collect();
    for step in &mut steps {
        step.after.dedup();
    }
    steps.push(step(19, vec![15, 16, 17, 18]));
    let observer = |id: &str, outside| ObserverModel { id: id.parse().expect("a name"), outside, votes: true };
    Model {
        application: "bench".parse().expect("a name"),
        seed: 1,
        drills: 10_000,
        objectives: ObjectivesSpec { rto: s(300), rpo: s(60), recovered: None },
        detection: Some(DetectionModel {
            symptom: Symptom::BlackHole,
            observers: vec![observer("near", false), observer("far", true), observer("further", true)],
            probes: vec![ProbeModel { id: "probe".parse().expect("a name"), interval: s(10), timeout: s(4), trip: 3 }],
            quorum: 2,
            dwell: s(10),
            tick: s(1),
        }),
        decision: Distribution::Exponential { mean: s(30) },
        steps,
        deadline: s(3600),
        traffic: TrafficModel {
            moved_by: vec![name(19)],
            publish: Distribution::Uniform { from: s(1), to: s(4) },
            ttl: s(60),
            overstay: None,
        },
        clients: ClientModel { count: 100, reconnect: Distribution::Uniform { from: s(0), to: s(1) }, served: 1.0 },
        replication: Some(ReplicationModel { lag: Distribution::spread(s(1), s(3)), source: "a bench".to_owned() }),
    }
}

fn main() {
    let model = model();
    let mut took = Vec::new();
    let mut prediction = None;
    for _ in 0..ROUNDS {
        let before = cpu::spent();
        prediction = predict(&model).ok();
        took.push((cpu::spent() - before).as_secs_f64());
    }
    took.sort_by(f64::total_cmp);
    let ours = took[ROUNDS / 2];
    let prediction = prediction.expect("the model is played");
    let peer = peer(&model);
    let figure = |name: &str, value: f64, unit: &str, goal: Option<f64>, key: &str| {
        let mut line = json!({ "name": name, "value": value, "unit": unit, "better": "lower" });
        if let Some(goal) = goal {
            line["goal"] = json!(goal);
        }
        if let Some(theirs) = peer.as_ref().and_then(|peer| peer[key].as_f64()) {
            line["peer"] = json!("simpy");
            line["peer_value"] = json!(theirs);
        }
        println!("{line}");
    };
    figure("sim_10k_drills_cpu", ours, "s", Some(0.15), "cpu");
    for (name, value, key) in [
        ("sim_rto_p50", prediction.rto.p50, "p50"),
        ("sim_rto_p90", prediction.rto.p90, "p90"),
        ("sim_rto_p95", prediction.rto.p95, "p95"),
        ("sim_rto_p99", prediction.rto.p99, "p99"),
    ] {
        figure(name, value.unwrap_or(f64::NAN), "s", None, key);
    }
    let Some(peer) = &peer else { return };
    // How much less CPU, as a figure of its own with a goal.
    let theirs = peer["cpu"].as_f64().unwrap_or(f64::NAN);
    println!(
        "{}",
        json!({ "name": "sim_times_less_cpu_than_simpy", "value": theirs / ours, "unit": "x", "better": "higher", "goal": 38 })
    );
    let off = [
        ("p50", prediction.rto.p50),
        ("p90", prediction.rto.p90),
        ("p95", prediction.rto.p95),
        ("p99", prediction.rto.p99),
    ]
    .iter()
    .filter_map(|(key, ours)| Some((ours.as_ref()? / peer[*key].as_f64()? - 1.0).abs() * 100.0))
    .fold(0.0, f64::max);
    // Ten thousand drills fix a percentile to about one in a hundred.
    println!("{}", json!({ "name": "sim_percentiles_apart", "value": off, "unit": "%", "better": "lower", "goal": 2 }));
}

/// Plays the model in simpy: CPU seconds and percentiles.
fn peer(model: &Model) -> Option<Value> {
    let (python, script) = (env::var_os("DR_BENCH_PEER")?, env::var_os("DR_BENCH_PEER_SCRIPT")?);
    let file = env::temp_dir().join(format!("dr-bench-sim-{}.json", std::process::id()));
    fs::write(&file, seconds(model).to_string()).ok()?;
    let output = Command::new(python).arg(script).arg(&file).output();
    let _ = fs::remove_file(&file);
    let output = output.ok()?;
    if !output.status.success() {
        eprintln!("{}", String::from_utf8_lossy(&output.stderr));
        return None;
    }
    serde_json::from_slice(&output.stdout).ok()
}

/// The model with its times in seconds, for who does not read ours.
fn seconds(model: &Model) -> Value {
    let d = |d: Duration| d.as_secs_f64();
    let spread = |of: &Distribution| match of {
        Distribution::Fixed { value } => json!({ "is": "fixed", "value": d(*value) }),
        Distribution::Uniform { from, to } => json!({ "is": "uniform", "from": d(*from), "to": d(*to) }),
        Distribution::LogNormal { p50, p95 } => json!({ "is": "log-normal", "p50": d(*p50), "p95": d(*p95) }),
        Distribution::Exponential { mean } => json!({ "is": "exponential", "mean": d(*mean) }),
    };
    let detection = model.detection.as_ref().expect("there is something to notice");
    json!({
        "drills": model.drills,
        "detection": {
            "outside": detection.observers.iter().map(|observer| observer.outside).collect::<Vec<_>>(),
            "probes": detection.probes.iter().map(|probe| json!({ "interval": d(probe.interval), "look": d(probe.timeout), "trip": probe.trip })).collect::<Vec<_>>(),
            "quorum": detection.quorum, "dwell": d(detection.dwell), "tick": d(detection.tick),
        },
        "decision": spread(&model.decision),
        "steps": model.steps.iter().map(|step| json!({
            "id": step.id, "after": step.after, "takes": spread(&step.takes), "fails": step.fails, "timeout": d(step.timeout),
            "attempts": step.attempts, "first_pause": d(step.first_pause), "most_pause": d(step.most_pause),
        })).collect::<Vec<_>>(),
        "moved_by": model.traffic.moved_by,
        "publish": spread(&model.traffic.publish),
        "ttl": d(model.traffic.ttl),
        "clients": model.clients.count,
        "reconnect": spread(&model.clients.reconnect),
    })
}
