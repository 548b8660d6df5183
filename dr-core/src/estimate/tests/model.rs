use std::time::Duration;

use super::super::{
    ClientModel, DetectionModel, Distribution, Model, ObserverModel, Overstay, ProbeModel, ReplicationModel, StepModel,
    Symptom, TrafficModel, WhatIf, predict,
};
use crate::{
    model::{ApplicationId, ProbeId, StepId, VantageId},
    plan::Phase,
    spec::ObjectivesSpec,
};

const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

pub(super) fn id(name: &str) -> StepId {
    StepId::new(name).unwrap()
}

pub(super) fn step(name: &str, phase: Phase, after: &[&str], takes: Distribution) -> StepModel {
    StepModel {
        id: id(name),
        phase,
        after: after.iter().map(|name| id(name)).collect(),
        takes,
        fails: 0.0,
        timeout: s(120),
        attempts: 3,
        first_pause: s(1),
        most_pause: s(10),
    }
}

/// A platform like that of the examples: a database to promote, services to scale, a name to move.
pub(super) fn platform() -> Model {
    let observer = |name: &str, outside, votes| ObserverModel { id: VantageId::new(name).unwrap(), outside, votes };
    let probe = |name: &str| ProbeModel { id: ProbeId::new(name).unwrap(), interval: s(10), timeout: s(4), trip: 3 };
    Model {
        application: ApplicationId::new("shop").unwrap(),
        seed: 1,
        drills: 200,
        objectives: ObjectivesSpec { rto: s(300), rpo: s(60), recovered: None },
        detection: Some(DetectionModel {
            symptom: Symptom::BlackHole,
            observers: vec![
                observer("in-lost", false, false),
                observer("in-standby", false, true),
                observer("third", true, true),
            ],
            probes: vec![probe("reads"), probe("writes")],
            quorum: 2,
            dwell: s(10),
            tick: s(1),
        }),
        decision: Distribution::Exponential { mean: s(20) },
        steps: vec![
            step("scale", Phase::Scale, &[], Distribution::spread(s(20), s(45))),
            step("ready", Phase::Ready, &["scale"], Distribution::spread(s(5), s(30))),
            step("promote", Phase::Promote, &[], Distribution::spread(s(30), s(90))),
            step("cache", Phase::Promote, &[], Distribution::spread(s(15), s(40))),
            step("shift", Phase::Shift, &["ready", "promote", "cache"], Distribution::fixed(s(2))),
            step("latch", Phase::Latch, &["shift"], Distribution::fixed(s(5))),
        ],
        deadline: s(3600),
        traffic: TrafficModel {
            moved_by: vec![id("shift")],
            publish: Distribution::Uniform { from: s(1), to: s(4) },
            ttl: s(60),
            overstay: Some(Overstay { share: 0.05, by: Distribution::Exponential { mean: s(30) } }),
        },
        clients: ClientModel { count: 40, reconnect: Distribution::Uniform { from: s(0), to: s(1) }, served: 1.0 },
        replication: Some(ReplicationModel { lag: Distribution::spread(s(1), s(3)), source: "a test".to_owned() }),
    }
}

#[test]
fn a_model_is_read_as_it_was_written() {
    let model = platform();
    assert_eq!(Model::read("model.json", &model.to_json()).unwrap(), model);
}

#[test]
fn mistakes_in_a_file_are_all_named_with_their_places() {
    let broken =
        platform().to_json().replace("\"quorum\": 2", "\"quorum\": 0").replace("\"ttl\": \"1m\"", "\"ttl\": \"soon\"");
    let errors = Model::read("model.json", &broken).unwrap_err();
    let paths: Vec<&str> = errors.findings().iter().map(|finding| finding.path.as_str()).collect();
    assert_eq!(paths, ["detection.quorum", "traffic.ttl"], "{errors}");
}

#[test]
fn what_makes_no_sense_as_a_whole_is_all_named() {
    let mut model = platform();
    model.steps[1].after = vec![id("shift")];
    model.steps[2].fails = 1.5;
    model.traffic.moved_by = vec![id("nobody")];
    model.clients.served = 0.0;
    model.detection.as_mut().unwrap().quorum = 3;
    model.decision = Distribution::Uniform { from: s(2), to: s(1) };
    let problems = model.check().unwrap_err().problems;
    assert_eq!(problems.len(), 6, "{problems:#?}");
    assert!(predict(&model).is_err());
}

#[test]
fn what_ifs_are_read_as_they_are_written() {
    for text in [
        "ttl=20s",
        "interval=1s",
        "trip=2",
        "dwell=5s",
        "decision=2m",
        "symptom=refused",
        "prescaled",
        "step:promote=30s",
    ] {
        assert_eq!(text.parse::<WhatIf>().unwrap().to_string(), text);
    }
    for text in ["ttl", "ttl=soon", "interval=0s", "trip=0", "symptom=odd", "step:=3s", "colour=blue", ""] {
        let error = text.parse::<WhatIf>().unwrap_err();
        assert!(error.to_string().contains("write ttl=20s"), "{error}");
    }
    let error = platform().with(&"step:promot=1s".parse().unwrap()).unwrap_err();
    assert!(error.contains("there are: scale"), "{error}");
}
