//! The event queue and the real engine on paused time play the same drills.

use std::time::Duration;

use proptest::prelude::*;

use super::{
    super::{Distribution, Model, Symptom, compile::Compiled, draw::Draw, paused, queue::Queue},
    model::platform,
};

/// Plays `drills` of a model on both engines and compares each.
fn agree(model: &Model, drills: u32) {
    let compiled = Compiled::new(model).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (mut draw, mut queue) = (Draw::default(), Queue::default());
    for drill in 0..drills {
        draw.again(&compiled, model.seed, drill);
        let fast = queue.play(&compiled, &draw, drill);
        let (real, done) = runtime.block_on(paused::play(model, &compiled, &draw, drill)).unwrap();
        let near = |a: f64, b: f64| (a - b).abs() < 1e-6;
        assert!(
            near(fast.detected, real.detected),
            "drill {drill}: detected at {} and {}",
            fast.detected,
            real.detected
        );
        assert!(
            near(fast.followed, real.followed),
            "drill {drill}: followed in {} and {}",
            fast.followed,
            real.followed
        );
        for (at, (fast, real)) in queue.done.iter().zip(&done).enumerate() {
            match (fast, real) {
                (Some(fast), Some(real)) => assert!(near(*fast, *real), "drill {drill}, step {at}: {fast} and {real}"),
                (None, None) => {}
                other => panic!("drill {drill}, step {at}: {other:?}"),
            }
        }
        assert_eq!(fast.moved.is_some(), real.moved.is_some(), "drill {drill}");
    }
}

#[test]
fn on_a_platform() {
    agree(&platform(), 200);
}

#[test]
fn when_looks_are_refused_and_one_observer_is_enough_with_its_dwell() {
    let mut model = platform();
    let detection = model.detection.as_mut().unwrap();
    detection.symptom = Symptom::Refused;
    detection.dwell = Duration::ZERO;
    detection.probes[0].interval = Duration::from_secs(3);
    agree(&model, 100);
}

#[test]
fn when_attempts_fail_outlast_their_timeout_and_use_up_their_number() {
    let mut model = platform();
    for step in &mut model.steps {
        step.fails = 0.3;
        step.timeout = Duration::from_secs(40);
        step.attempts = 2;
    }
    agree(&model, 200);
}

#[test]
fn when_the_run_outlasts_its_deadline() {
    let mut model = platform();
    model.deadline = Duration::from_secs(50);
    agree(&model, 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn on_any_small_plan(seed in any::<u64>(), shape in proptest::collection::vec((0_u64..40, 0_u64..60, any::<u16>()), 1..12), trip in 1_u32..5, dwell in 0_u64..20) {
        let mut model = platform();
        model.seed = seed;
        let detection = model.detection.as_mut().unwrap();
        detection.dwell = Duration::from_secs(dwell);
        detection.probes.iter_mut().for_each(|probe| probe.trip = trip);
        model.steps = shape.iter().enumerate().map(|(at, (p50, more, edges))| {
            let after: Vec<String> = (0..at).filter(|before| edges >> (before % 16) & 1 == 1 && at - before < 5).map(|n| format!("s{n}")).collect();
            let after: Vec<&str> = after.iter().map(String::as_str).collect();
            let takes = Distribution::spread(Duration::from_secs(*p50), Duration::from_secs(p50 + more));
            super::model::step(&format!("s{at}"), crate::plan::Phase::Promote, &after, takes)
        }).collect();
        model.traffic.moved_by = vec![super::model::id(&format!("s{}", shape.len() - 1))];
        agree(&model, 8);
    }
}
