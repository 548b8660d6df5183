use std::time::Duration;

use super::{
    super::{Comparison, Distribution, Prediction, Symptom, WhatIf, predict, to_svg, to_text},
    model::platform,
};
use crate::detect::fixed_rate_bounds;

fn changed(text: &str) -> Prediction {
    predict(&platform().with(&text.parse::<WhatIf>().unwrap()).unwrap()).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_prediction_and_another_another() {
    let model = platform();
    assert_eq!(predict(&model).unwrap(), predict(&model).unwrap());
    let mut other = model.clone();
    other.seed = 2;
    assert_ne!(predict(&model).unwrap().rto, predict(&other).unwrap().rto);
}

#[test]
fn detection_lies_inside_the_closed_form() {
    let mut model = platform();
    model.steps.clear();
    model.traffic.moved_by.clear();
    model.traffic.publish = Distribution::ZERO;
    model.traffic.overstay = None;
    model.traffic.ttl = Duration::ZERO;
    model.clients.reconnect = Distribution::ZERO;
    model.decision = Distribution::ZERO;
    model.drills = 2_000;
    let s = Duration::from_secs;
    for (symptom, look) in [(Symptom::BlackHole, s(4)), (Symptom::Refused, s(0))] {
        let detection = model.detection.as_mut().unwrap();
        detection.symptom = symptom;
        detection.dwell = Duration::ZERO;
        let bounds = fixed_rate_bounds(s(10), look, 3);
        let rto = predict(&model).unwrap().rto;
        let (min, max) = (Duration::from_secs_f64(rto.min.unwrap()), Duration::from_secs_f64(rto.max.unwrap()));
        assert!(bounds.contains(min.saturating_sub(look)), "{min:?} in {bounds:?}");
        // The decider's tick may come a little after the last look that it needs.
        assert!(max <= bounds.max + s(1), "{max:?} in {bounds:?}");
    }
}

#[test]
fn every_change_for_the_better_is_one() {
    let base = predict(&platform()).unwrap();
    for text in [
        "ttl=20s",
        "interval=1s",
        "trip=1",
        "dwell=0s",
        "decision=0s",
        "symptom=refused",
        "prescaled",
        "step:promote=1s",
    ] {
        let better = changed(text);
        assert!(better.rto.p50 < base.rto.p50, "{text}: {:?} and {:?}", better.rto.p50, base.rto.p50);
        assert_eq!(better.rpo, base.rpo, "{text} has nothing to do with replication");
    }
}

#[test]
fn a_step_that_always_fails_stops_every_drill_and_is_named() {
    let mut model = platform();
    model.steps[2].fails = 1.0;
    let stopped = predict(&model).unwrap();
    assert_eq!((stopped.stopped.share, stopped.rto_met.share), (1.0, 0.0));
    assert_eq!(stopped.rto.p50, None, "never");
    let blamed: Vec<&str> =
        stopped.steps.iter().filter(|step| step.stopped == 1.0).map(|step| step.step.as_str()).collect();
    assert!(blamed.contains(&"promote"), "{blamed:?}");
    // What comes after the shift is not felt.
    let mut model = platform();
    model.steps[5].fails = 1.0;
    assert_eq!(predict(&model).unwrap().stopped.share, 0.0);
}

#[test]
fn an_unknown_lag_is_an_unknown_recovery_point_and_not_none() {
    let mut model = platform();
    model.replication = None;
    let prediction = predict(&model).unwrap();
    assert_eq!((prediction.rpo, prediction.rpo_met), (None, None));
    assert!(to_text(&model, &prediction, &[]).contains("RPO  unknown"));
}

#[test]
fn the_critical_path_is_where_the_time_is() {
    let mut model = platform();
    model.steps[2].takes = Distribution::fixed(Duration::from_secs(100));
    let prediction = predict(&model).unwrap();
    let share = |name: &str| prediction.steps.iter().find(|step| step.step == *name).map_or(0.0, |step| step.critical);
    assert_eq!(share("shift"), 1.0);
    assert!(share("promote") > 0.95, "{}", share("promote"));
    assert_eq!(share("latch"), 0.0, "nobody waits for it");
}

#[test]
fn a_prediction_reads_well() {
    let model = platform();
    let changes: Vec<Comparison> = ["ttl=20s", "interval=1s", "prescaled"]
        .into_iter()
        .map(|change| Comparison { change: change.to_owned(), prediction: changed(change) })
        .collect();
    let base = predict(&model).unwrap();
    insta::assert_snapshot!(to_text(&model, &base, &changes));
    let svg = to_svg(&base, &changes);
    assert_eq!(svg.matches("<polyline").count(), 4);
    assert!(svg.contains("prescaled") && svg.ends_with("</svg>\n"));
}
