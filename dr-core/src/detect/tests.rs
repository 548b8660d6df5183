use std::time::Duration;

use proptest::{
    prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest},
    sample::subsequence,
};

use super::*;
use crate::{
    error::{Error, ErrorKind},
    probe::{CheckKind, Latency, Observation, Outcome, Reading, Subject},
    time::{Monotonic, Timestamp},
};

mod damping;
mod gray;
mod properties;
mod roles;
mod suspicion;

const PLACES: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];
const CHECKS: [(&str, CheckKind); 2] =
    [("storefront/health", CheckKind::Infrastructure), ("storefront/write", CheckKind::Transaction)];
const STALE: Duration = Duration::from_secs(35);
const HOLD_DOWN: Duration = Duration::from_secs(120);

const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn policy() -> QuorumPolicy {
    QuorumPolicy {
        region: "us-east-1".parse().unwrap(),
        pair: vec!["us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap()],
        observers: PLACES
            .iter()
            .map(|place| Observer { vantage: place.parse().unwrap(), region: Some(place.parse().unwrap()) })
            .collect(),
        quorum: 2,
        checks: CHECKS
            .iter()
            .map(|(probe, kind)| CheckPolicy {
                probe: probe.parse().unwrap(),
                kind: *kind,
                trip: 3,
                clear: 2,
                stale_after: STALE,
            })
            .collect(),
        dwell: Duration::ZERO,
        hold_down: HOLD_DOWN,
        gray_dwell: None,
        checks_fail_dwell: None,
        damping: None,
        suspicion: None,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Pass,
    Fail,
    Blind,
    Impaired,
}

fn outcome(seen: Seen) -> Outcome {
    match seen {
        Seen::Pass => Outcome::Looked(Reading::healthy(Latency::default(), "answered 200 OK")),
        Seen::Fail => Outcome::Looked(Reading::unhealthy(Latency::default(), "connect timed out after 4 s")),
        Seen::Blind => Outcome::CouldNotLook(Error::new(ErrorKind::Internal, "no file descriptors left").into()),
        Seen::Impaired => Outcome::ObserverImpaired { reason: "cannot reach its control target".to_owned() },
    }
}

fn see(place: usize, check: usize, at: Duration, seen: Seen) -> Observation {
    let (probe, kind) = CHECKS[check];
    Observation {
        subject: Subject { probe: probe.parse().unwrap(), region: "us-east-1".parse().unwrap(), kind },
        vantage: PLACES[place].parse().unwrap(),
        at: Monotonic::new(at),
        wall: Timestamp::UNIX_EPOCH + at,
        outcome: outcome(seen),
    }
}

/// Rounds of ten seconds; `seen(place, check)` says what each sees. Gives the transitions.
fn rounds(
    quorum: &mut Quorum,
    rounds: std::ops::Range<u64>,
    seen: impl Fn(usize, usize) -> Option<Seen>,
) -> Vec<Transition> {
    let mut transitions = Vec::new();
    for round in rounds {
        for place in 0..PLACES.len() {
            for check in 0..CHECKS.len() {
                let at = s(10 * round) + Duration::from_millis((10 * place + check) as u64);
                if let Some(seen) = seen(place, check) {
                    transitions.extend(quorum.observe(see(place, check, at, seen)));
                }
            }
        }
    }
    transitions
}

fn healthy_quorum(policy: QuorumPolicy) -> Quorum {
    let mut quorum = Quorum::new(policy).unwrap();
    rounds(&mut quorum, 0..3, |_, _| Some(Seen::Pass));
    assert_eq!(quorum.verdict(), Verdict::Healthy);
    quorum
}

#[test]
fn a_lost_region_is_explained_in_a_sentence() {
    let mut quorum = healthy_quorum(policy());
    let transitions = rounds(&mut quorum, 3..6, |_, _| Some(Seen::Fail));
    let said: Vec<String> = transitions.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(said.join("\n"), @r#"
us-east-1 suspect: 1 of 3 observers against it, 2 needed, 3 consecutive failures each; last: connect timed out after 4 s (us-east-1)
us-east-1 unhealthy: 3 of 3 observers, 3 consecutive failures each; last: connect timed out after 4 s (eu-central-1)
"#);
    rounds(&mut quorum, 6..7, |_, _| Some(Seen::Fail));
    insta::assert_snapshot!(quorum.sentence(), @r#"us-east-1 unhealthy: 3 of 3 observers, 4 consecutive failures each; last: connect timed out after 4 s (eu-central-1)"#);
}

#[test]
fn reads_that_pass_and_writes_that_fail_are_a_gray_failure() {
    let gray = |_, check| Some(if check == 1 { Seen::Fail } else { Seen::Pass });
    let mut quorum = healthy_quorum(policy());
    rounds(&mut quorum, 3..60, gray);
    assert_eq!(quorum.verdict(), Verdict::Gray, "without a gray dwell it never counts as unhealthy");
    insta::assert_snapshot!(quorum.sentence(), @r#"us-east-1 gray: transactions fail while infrastructure checks pass, for 3 of 3 observers, 57 consecutive failures each; last: connect timed out after 4 s (eu-central-1)"#);

    let mut quorum = healthy_quorum(QuorumPolicy { gray_dwell: Some(s(30)), ..policy() });
    let transitions = rounds(&mut quorum, 3..12, gray);
    let steps: Vec<_> = transitions.iter().map(|t| (t.to, t.at.since_origin().as_secs(), t.why.gray)).collect();
    assert_eq!(
        steps.last(),
        Some(&(Verdict::Unhealthy, 80, Some(GrayFailure::WritesFail))),
        "30 s after the 2nd of 3 observers tripped, {steps:?}"
    );
    insta::assert_snapshot!(transitions.last().unwrap().to_string(), @r#"us-east-1 unhealthy (gray): transactions fail while infrastructure checks pass, for 3 of 3 observers, 6 consecutive failures each; last: connect timed out after 4 s (eu-central-1)"#);
}

#[test]
fn a_whole_failure_is_not_taken_for_a_gray_one_on_the_way() {
    let mut quorum = Quorum::new(QuorumPolicy { gray_dwell: Some(Duration::ZERO), ..policy() }).unwrap();
    rounds(&mut quorum, 0..3, |_, _| Some(Seen::Pass));
    // The writes are seen to fail just before the infrastructure checks are.
    let mut transitions = Vec::new();
    for round in 3..6 {
        for place in 0..3 {
            for check in [1, 0] {
                transitions.extend(quorum.observe(see(
                    place,
                    check,
                    s(10 * round) + s(2) * (1 - check as u32),
                    Seen::Fail,
                )));
            }
        }
    }
    assert_eq!(quorum.verdict(), Verdict::Unhealthy);
    assert!(transitions.iter().all(|t| t.why.gray.is_none()), "{transitions:#?}");
}

#[test]
fn one_failing_check_of_a_kind_degrades_and_does_not_lose_the_region() {
    let mut policy = policy();
    policy.checks[1].kind = CheckKind::Infrastructure;
    let mut quorum = Quorum::new(policy).unwrap();
    let see_infra = |place, check, at, seen| {
        let mut o = see(place, check, at, seen);
        o.subject.kind = CheckKind::Infrastructure;
        o
    };
    for round in 0..9 {
        for place in 0..3 {
            quorum.observe(see_infra(place, 0, s(10 * round), Seen::Pass));
            quorum.observe(see_infra(place, 1, s(10 * round), Seen::Fail));
        }
    }
    assert_eq!(quorum.verdict(), Verdict::Degraded);
    insta::assert_snapshot!(quorum.sentence(), @r#"us-east-1 degraded: some checks fail, for 3 of 3 observers, 9 consecutive failures each; last: connect timed out after 4 s (eu-central-1)"#);
}

#[test]
fn the_judged_region_s_own_observer_is_not_needed_and_not_believed_alone() {
    let mut silent = healthy_quorum(policy());
    rounds(&mut silent, 3..6, |place, _| (place != 0).then_some(Seen::Fail));
    assert_eq!(silent.verdict(), Verdict::Unhealthy, "it went down with its region");

    let mut lying = healthy_quorum(policy());
    rounds(&mut lying, 3..6, |place, _| Some(if place == 0 { Seen::Pass } else { Seen::Fail }));
    assert_eq!(lying.verdict(), Verdict::Unhealthy, "it says that all is well");

    let mut alarmed = healthy_quorum(policy());
    rounds(&mut alarmed, 3..30, |place, _| Some(if place == 0 { Seen::Fail } else { Seen::Pass }));
    assert_eq!(alarmed.verdict(), Verdict::Suspect, "it alone says that the region is lost");
    insta::assert_snapshot!(alarmed.sentence(), @r#"us-east-1 suspect: 1 of 3 observers against it, 2 needed, 27 consecutive failures each; last: connect timed out after 4 s (us-east-1)"#);
}

#[test]
fn the_pair_s_observers_cannot_agree_without_someone_outside() {
    let mut quorum = healthy_quorum(policy());
    rounds(&mut quorum, 3..30, |place, _| Some(if place == 2 { Seen::Pass } else { Seen::Fail }));
    assert_eq!(quorum.verdict(), Verdict::Suspect);
    insta::assert_snapshot!(quorum.sentence(), @r#"us-east-1 suspect: 2 of 3 observers against it, 2 needed, 27 consecutive failures each; no observer outside the pair agrees; last: connect timed out after 4 s (eu-west-1)"#);
}

#[test]
fn two_impaired_observers_hold_the_verdict_and_say_so() {
    let mut quorum = healthy_quorum(policy());
    rounds(&mut quorum, 3..9, |place, _| Some(if place == 0 { Seen::Fail } else { Seen::Impaired }));
    assert_eq!(quorum.verdict(), Verdict::Unknown);
    insta::assert_snapshot!(quorum.sentence(), @r#"us-east-1 unknown: 1 of 3 observers can say, 2 needed; last: observer impaired: cannot reach its control target (eu-central-1)"#);
}

#[test]
fn silence_makes_it_unknown_at_the_moment_the_readings_go_stale() {
    let mut quorum = healthy_quorum(policy());
    assert_eq!(quorum.tick(Monotonic::new(s(20) + STALE)), None, "one observer's reading is stale, two still count");
    let transition = quorum.tick(Monotonic::new(s(20) + STALE + Duration::from_millis(21))).unwrap();
    assert_eq!((transition.from, transition.to), (Verdict::Healthy, Verdict::Unknown));
    insta::assert_snapshot!(transition.to_string(), @r#"us-east-1 unknown: 0 of 3 observers can say, 2 needed; last: nothing heard for 35 s (eu-central-1)"#);
}

#[test]
fn the_verdict_waits_out_the_dwell_and_then_the_hold_down() {
    let mut quorum = healthy_quorum(QuorumPolicy { dwell: s(15), ..policy() });
    let down = rounds(&mut quorum, 3..8, |_, _| Some(Seen::Fail));
    let steps: Vec<_> = down.iter().map(|t| (t.to, t.at.since_origin().as_secs())).collect();
    // Agreed at 50.02 s; the dwell ends at 65.02 s and is noticed with the next reading, at 70 s.
    assert_eq!(steps, [(Verdict::Suspect, 50), (Verdict::Unhealthy, 70)], "{down:#?}");
    insta::assert_snapshot!(down[0].to_string(), @r#"us-east-1 suspect: 1 of 3 observers against it, 2 needed, 3 consecutive failures each; last: connect timed out after 4 s (us-east-1)"#);

    let up = rounds(&mut quorum, 8..40, |_, _| Some(Seen::Pass));
    let back: Vec<_> = up.iter().map(|t| (t.to, t.at.since_origin().as_secs())).collect();
    assert_eq!(back, [(Verdict::Healthy, 190)], "tripped at 65 s, held down for 120 s: {up:#?}");
}

#[test]
fn a_check_that_passes_again_is_not_quoted_as_failing() {
    let mut quorum = healthy_quorum(QuorumPolicy { hold_down: Duration::ZERO, ..policy() });
    rounds(&mut quorum, 3..6, |_, _| Some(Seen::Fail));
    let up = rounds(&mut quorum, 6..8, |_, _| Some(Seen::Pass));
    assert_eq!(up.last().map(|t| t.to), Some(Verdict::Healthy));
    for transition in up {
        let said = transition.to_string();
        assert!(!said.contains(" 0 ") && !said.contains("answered 200"), "{said}");
    }
}

#[test]
fn a_tick_is_enough_to_end_a_dwell() {
    let mut quorum = healthy_quorum(QuorumPolicy { dwell: s(5), ..policy() });
    rounds(&mut quorum, 3..6, |_, _| Some(Seen::Fail));
    assert_eq!(quorum.verdict(), Verdict::Suspect);
    let transition = quorum.tick(Monotonic::new(s(56))).unwrap();
    assert_eq!(transition.to, Verdict::Unhealthy);
}

#[test]
fn a_late_reading_takes_back_what_its_absence_brought_about() {
    let mut quorum = healthy_quorum(policy());
    let mut late = Vec::new();
    for round in 3..6 {
        for place in 0..3 {
            for check in 0..2 {
                let at = s(10 * round) + Duration::from_millis(place as u64);
                // The middle round was good, for two of three, and its news comes last.
                match round == 4 && place > 0 {
                    true => late.push(see(place, check, at, Seen::Pass)),
                    false => drop(quorum.observe(see(place, check, at, Seen::Fail))),
                }
            }
        }
    }
    for place in 1..3 {
        for check in 0..2 {
            quorum.observe(see(place, check, s(59), Seen::Fail));
        }
    }
    assert_eq!(quorum.verdict(), Verdict::Unhealthy);
    for o in late {
        quorum.observe(o);
    }
    assert_eq!(quorum.verdict(), Verdict::Suspect, "{}", quorum.sentence());
}

#[test]
fn a_policy_that_could_not_be_trusted_is_refused_with_every_reason() {
    let mut policy = policy();
    policy.quorum = 1;
    policy.observers.truncate(2);
    policy.observers.push(policy.observers[0].clone());
    policy.observers[1].region = Some("us-east-1".parse().unwrap());
    policy.checks[1] = policy.checks[0].clone();
    policy.checks[0].trip = 0;
    policy.checks[0].stale_after = Duration::ZERO;
    let invalid = Quorum::new(policy).unwrap_err();
    insta::assert_snapshot!(invalid.problems.join("\n"), @r#"
1 of 3 observers is no majority: ask for at least 2
every observer sits in a region of the pair: add one elsewhere
only 0 of 3 observers sit outside us-east-1, and 1 must agree when it is gone: add observers elsewhere
the observer us-east-1 is listed twice and would vote twice
the thresholds of storefront/health must be 1 or more
the readings of storefront/health are stale at once: give stale_after some intervals
the check storefront/health is listed twice
"#);
}

fn any_seen() -> impl Strategy<Value = Seen> {
    prop_oneof![4 => Just(Seen::Fail), 3 => Just(Seen::Pass), 1 => Just(Seen::Blind), 1 => Just(Seen::Impaired)]
}

/// Looks in order of time: who, which check, milliseconds since the one before, what was seen.
fn looks(n: usize) -> impl Strategy<Value = Vec<(usize, usize, u64, Seen)>> {
    prop::collection::vec((0..3_usize, 0..2_usize, 0..8_000_u64, any_seen()), n)
}

fn observations(looks: &[(usize, usize, u64, Seen)]) -> Vec<Observation> {
    let mut at = Duration::ZERO;
    looks
        .iter()
        .map(|&(place, check, after, seen)| {
            at += Duration::from_millis(after);
            see(place, check, at, seen)
        })
        .collect()
}

/// Looks under moods that last: while a mood is good nothing fails, while it is bad nothing passes.
fn moody_looks() -> impl Strategy<Value = Vec<(usize, usize, u64, Seen)>> {
    // On the grid of half a second looks often end at the same moment; off it hardly ever.
    let after = prop_oneof![0..2_000_u64, (0..4_u64).prop_map(|halves| halves * 500)];
    let look = (0..3_usize, 0..2_usize, after, any_seen());
    let mood = (any::<bool>(), prop::collection::vec(look, 5..80)).prop_map(|(good, mut looks)| {
        for (.., seen) in &mut looks {
            *seen = match *seen {
                Seen::Fail if good => Seen::Pass,
                Seen::Pass if !good => Seen::Fail,
                same => same,
            };
        }
        looks
    });
    prop::collection::vec(mood, 8).prop_map(|moods| moods.concat())
}

fn gray_policy() -> QuorumPolicy {
    QuorumPolicy {
        gray_dwell: Some(s(10)),
        checks_fail_dwell: Some(s(20)),
        dwell: s(3),
        damping: Some(Damping { half_life: s(120), suppress: 2_500, ..Damping::default() }),
        suspicion: Some(Suspicion { phi: 1, min_deviation: Duration::from_millis(100), samples: 16 }),
        ..policy()
    }
}
