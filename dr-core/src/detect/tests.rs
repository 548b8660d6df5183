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

/// Two regions under one watch.
struct Pair {
    quorums: Quorums,
    round: u64,
    transitions: Vec<Transition>,
}

const EAST: &str = "us-east-1";
const WEST: &str = "eu-west-1";

impl Pair {
    fn new() -> Self {
        let quorum = |region: &str| {
            let policy =
                QuorumPolicy { region: region.parse().unwrap(), gray_dwell: Some(s(30)), hold_down: s(10), ..policy() };
            Quorum::new(policy).unwrap()
        };
        let quorums = Quorums::new([quorum(EAST), quorum(WEST)], &EAST.parse().unwrap());
        Self { quorums, round: 0, transitions: Vec::new() }
    }

    /// Rounds of ten seconds in which writes pass where `writes` says, and `lost` answers nothing.
    fn rounds(&mut self, rounds: u64, writes: &[&str], lost: Option<&str>) -> Vec<String> {
        self.transitions.clear();
        for round in self.round..self.round + rounds {
            for (place, check) in (0..PLACES.len()).flat_map(|place| (0..CHECKS.len()).map(move |check| (place, check)))
            {
                for region in [EAST, WEST] {
                    let passes = lost != Some(region) && (check == 0 || writes.contains(&region));
                    let at = s(10 * round) + Duration::from_millis((10 * place + check) as u64);
                    let mut o = see(place, check, at, if passes { Seen::Pass } else { Seen::Fail });
                    o.subject.region = region.parse().unwrap();
                    self.transitions.extend(self.quorums.observe(o));
                }
            }
        }
        self.round += rounds;
        self.transitions.iter().map(|t| format!("{} {}", t.region, t.to)).collect()
    }

    fn sentence(&self, region: &str) -> String {
        self.quorums.get(&region.parse().unwrap()).unwrap().sentence()
    }
}

#[test]
fn a_region_that_stands_by_is_not_blamed_for_taking_no_writes() {
    let mut pair = Pair::new();
    assert_eq!(pair.rounds(30, &[EAST], None), ["eu-west-1 healthy", "us-east-1 healthy"]);
    insta::assert_snapshot!(pair.sentence(WEST), @"eu-west-1 healthy: 3 of 3 observers; it stands by and takes no writes");
}

#[test]
fn a_switchover_moves_what_is_asked_of_each_and_alarms_nobody() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    assert_eq!(pair.rounds(1, &[], None), [""; 0], "a moment in which nobody takes writes");
    assert_eq!(pair.rounds(30, &[WEST], None), [""; 0]);
    insta::assert_snapshot!(pair.sentence(EAST), @"us-east-1 healthy: 3 of 3 observers; it stands by and takes no writes");
    assert_eq!(pair.rounds(30, &[EAST], None), [""; 0], "and back");
}

#[test]
fn a_writer_that_takes_no_writes_is_gray_and_excused_once_another_takes_them() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    assert_eq!(
        pair.rounds(8, &[], None),
        ["us-east-1 suspect", "us-east-1 gray", "us-east-1 unhealthy"],
        "and eu-west-1 is as well as it was"
    );
    assert_eq!(pair.rounds(20, &[WEST], None), ["us-east-1 healthy"]);
    // The other one is the writer now, and is held to it.
    assert_eq!(pair.rounds(8, &[], None), ["eu-west-1 suspect", "eu-west-1 gray", "eu-west-1 unhealthy"]);
}

#[test]
fn a_lost_writer_comes_back_as_a_standby() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST], None);
    let lost = pair.rounds(6, &[], Some(EAST));
    assert_eq!(lost, ["us-east-1 suspect", "us-east-1 unhealthy"], "and eu-west-1 is fit to take over");
    assert_eq!(pair.rounds(12, &[WEST], Some(EAST)), [""; 0]);
    assert_eq!(pair.rounds(12, &[WEST], None), ["us-east-1 suspect", "us-east-1 healthy"]);
    assert_eq!(pair.rounds(12, &[EAST], None), [""; 0], "the switchover back");
}

#[test]
fn a_standby_that_passes_writes_on_hides_no_gray_failure_and_shares_no_blame() {
    let mut pair = Pair::new();
    pair.rounds(10, &[EAST, WEST], None);
    let gray = ["us-east-1 suspect", "us-east-1 gray", "us-east-1 unhealthy"];
    assert_eq!(pair.rounds(8, &[WEST], None), gray, "the writer's front fails them, its database does not");
    assert_eq!(pair.rounds(20, &[EAST, WEST], None), ["us-east-1 suspect", "us-east-1 healthy"]);
    assert_eq!(pair.rounds(8, &[], None), gray, "the database fails them, so the standby's do not get through either");

    let mut pair = Pair::new();
    pair.rounds(10, &[EAST, WEST], None);
    assert_eq!(pair.rounds(12, &[], Some(EAST)), ["us-east-1 suspect", "us-east-1 unhealthy"]);
    assert_eq!(pair.rounds(12, &[WEST], Some(EAST)), [""; 0], "promoted");
    assert_eq!(pair.quorums.writer(), WEST);
    pair.rounds(12, &[EAST, WEST], None);
    assert_eq!(pair.rounds(12, &[EAST, WEST], None), [""; 0]);
    assert_eq!(pair.quorums.writer(), WEST, "passing them on makes no writer");
    assert_eq!(pair.quorums.writer_is(&EAST.parse().unwrap()), []);
    pair.rounds(1, &[EAST, WEST], None);
    assert_eq!(pair.rounds(8, &[WEST], None), gray);
}

#[test]
fn an_observer_that_starts_after_a_failover_finds_the_writer() {
    let mut pair = Pair::new();
    let told = pair.rounds(12, &[WEST], Some(EAST));
    assert_eq!(pair.quorums.writer(), WEST);
    assert_eq!(told, ["eu-west-1 healthy", "us-east-1 suspect", "us-east-1 unhealthy"]);
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

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn a_minority_never_trips(looks in looks(150), honest in subsequence(vec![0_usize, 1, 2], 2)) {
        let mut quorum = Quorum::new(gray_policy()).unwrap();
        for mut o in observations(&looks) {
            let failed = o.outcome.reading().is_some_and(|reading| !reading.is_healthy());
            if failed && honest.iter().any(|&place| o.vantage == PLACES[place]) {
                o.outcome = outcome(Seen::Pass);
            }
            quorum.observe(o);
            prop_assert!(quorum.verdict() != Verdict::Unhealthy, "{}", quorum.sentence());
        }
    }

    #[test]
    fn not_looking_never_counts_against_the_region(looks in looks(150)) {
        let mut quorum = Quorum::new(QuorumPolicy { suspicion: None, ..gray_policy() }).unwrap();
        for mut o in observations(&looks) {
            if o.outcome.reading().is_some_and(|reading| !reading.is_healthy()) {
                o.outcome = outcome(Seen::Impaired);
            }
            quorum.observe(o);
            prop_assert!(matches!(quorum.verdict(), Verdict::Healthy | Verdict::Unknown), "{}", quorum.sentence());
        }
    }

    #[test]
    fn no_flap_inside_the_hold_down(looks in moody_looks()) {
        let mut quorum = Quorum::new(gray_policy()).unwrap();
        let (mut verdict, mut tripped) = (quorum.verdict(), None);
        let observations = observations(&looks);
        let mut next = observations.iter().map(|o| o.at).skip(1).collect::<Vec<_>>().into_iter();
        for o in observations {
            let at = o.at;
            quorum.observe(o);
            // Looks that end at one moment are told one after the other, and each may take back what the one before
            // brought about: the verdict is a function of the set of them. It is the last one of a moment that is held.
            if next.next() == Some(at) || verdict == quorum.verdict() {
                continue;
            }
            verdict = quorum.verdict();
            match verdict {
                Verdict::Unhealthy => tripped = Some(at),
                Verdict::Unknown => {}
                _ => prop_assert!(
                    tripped.is_none_or(|tripped| at.since(tripped) >= HOLD_DOWN - s(2)),
                    "{}", quorum.sentence()
                ),
            }
        }
    }

    #[test]
    fn clocks_that_go_back_change_nothing(looks in looks(120), back in prop::collection::vec(any::<u32>(), 120)) {
        let mut steady = Quorum::new(gray_policy()).unwrap();
        let mut jumpy = steady.clone();
        for (o, back) in observations(&looks).into_iter().zip(back) {
            let (at, mut twisted) = (o.at, o.clone());
            steady.observe(o);
            twisted.wall = Timestamp::from_millis(i64::from(back));
            jumpy.observe(twisted);
            let earlier = at.since_origin().saturating_sub(Duration::from_millis(u64::from(back)));
            prop_assert_eq!(jumpy.tick(Monotonic::new(earlier)), None);
            prop_assert_eq!(jumpy.verdict(), steady.verdict());
            prop_assert_eq!(jumpy.why(), steady.why());
        }
    }

    #[test]
    fn ticks_change_when_it_is_said_and_not_what_holds(looks in looks(120), ticks in prop::collection::vec(0..8_000_u64, 120)) {
        let mut quiet = Quorum::new(gray_policy()).unwrap();
        let mut ticked = quiet.clone();
        let mut last = Duration::ZERO;
        for (o, after) in observations(&looks).into_iter().zip(ticks) {
            let at = o.at.since_origin();
            ticked.tick(Monotonic::new((last + Duration::from_millis(after)).min(at)));
            last = at;
            quiet.observe(o.clone());
            ticked.observe(o);
            prop_assert_eq!(ticked.verdict(), quiet.verdict());
            prop_assert_eq!(ticked.why(), quiet.why());
        }
    }

    #[test]
    fn the_verdict_is_a_function_of_the_set_of_readings_in_the_window(
        before in looks(80),
        window in prop::collection::vec((0..3_usize, 0..2_usize, 0..34_000_u64, any_seen()), 0..60)
            .prop_flat_map(|looks| (Just(looks.clone()), Just(looks).prop_shuffle())),
    ) {
        let mut in_order = Quorum::new(gray_policy()).unwrap();
        let mut end = Duration::ZERO;
        for o in observations(&before) {
            end = o.at.since_origin();
            in_order.observe(o);
        }
        let mut as_it_comes = in_order.clone();
        let (looks, shuffled) = window;
        let at = |ms: u64| end + Duration::from_millis(1 + ms);
        let mut sorted = looks;
        sorted.sort_by_key(|&(_, _, ms, _)| ms);
        for (place, check, ms, seen) in sorted {
            in_order.observe(see(place, check, at(ms), seen));
        }
        for (place, check, ms, seen) in shuffled {
            as_it_comes.observe(see(place, check, at(ms), seen));
        }
        let later = Monotonic::new(at(34_500));
        in_order.tick(later);
        as_it_comes.tick(later);
        prop_assert_eq!(in_order.verdict(), as_it_comes.verdict());
        prop_assert_eq!(in_order.why(), as_it_comes.why());
    }

    #[test]
    fn consecutive_failures_trip_at_the_threshold_and_no_earlier(seen in prop::collection::vec(any::<bool>(), 1..60)) {
        let subject = see(0, 0, Duration::ZERO, Seen::Pass).subject;
        let mut detector = Consecutive::new(subject, PLACES[0].parse().unwrap(), 3, 2, STALE);
        let mut settled = None;
        for (i, &good) in seen.iter().enumerate() {
            let at = s(10 * i as u64);
            detector.observe(see(0, 0, at, if good { Seen::Pass } else { Seen::Fail }));
            let tail = |n: usize, wanted: bool| i + 1 >= n && seen[i + 1 - n..=i].iter().all(|&g| g == wanted);
            if tail(3, false) { settled = Some(Verdict::Unhealthy) }
            if tail(2, true) { settled = Some(Verdict::Healthy) }
            let expected = match settled {
                Some(Verdict::Healthy) if !good => Verdict::Suspect,
                Some(verdict) => verdict,
                None => Verdict::Unknown,
            };
            prop_assert_eq!(detector.verdict(), expected);
        }
    }
}
