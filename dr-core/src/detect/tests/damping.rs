//! A verdict that changes too often.

use super::*;

/// Rounds in which the region is lost for four of them and back for four, over and over.
fn flapping(policy: QuorumPolicy, cycles: u64) -> (Quorum, Vec<(Verdict, u64)>) {
    let mut quorum = healthy_quorum(policy);
    let mut told = Vec::new();
    for cycle in 0..cycles {
        let from = 3 + 8 * cycle;
        told.extend(rounds(&mut quorum, from..from + 4, |_, _| Some(Seen::Fail)));
        told.extend(rounds(&mut quorum, from + 4..from + 8, |_, _| Some(Seen::Pass)));
    }
    let told = told
        .iter()
        .map(|t| (t.to, t.at.since_origin().as_secs()))
        .filter(|(to, _)| matches!(to, Verdict::Healthy | Verdict::Unhealthy));
    let told = told.collect();
    (quorum, told)
}

fn damped() -> QuorumPolicy {
    QuorumPolicy { hold_down: s(10), damping: Some(Damping::default()), ..policy() }
}

#[test]
fn a_region_that_flaps_is_suspect_and_says_when_it_counts_again() {
    let (mut quorum, told) = flapping(damped(), 4);
    let expected = [(Verdict::Unhealthy, 50), (Verdict::Healthy, 80), (Verdict::Unhealthy, 130)];
    assert_eq!(told, expected, "the fourth change, at 160 s, suspends it");
    insta::assert_snapshot!(quorum.sentence(), @"us-east-1 suspect: it has changed too often (penalty 6725); healthy is not acted on for 27m29s");
    let suppressed = quorum.why().suppressed.unwrap();
    assert_eq!(suppressed.would_be, Verdict::Healthy);

    // From here on it is steady, and everybody sees it.
    let mut back = Vec::new();
    for round in 35..400 {
        back.extend(rounds(&mut quorum, round..round + 1, |_, _| Some(Seen::Pass)));
    }
    let reuse = suppressed.reuse_at.since_origin().as_secs();
    let back: Vec<_> = back.iter().map(|t| (t.to, t.at.since_origin().as_secs())).collect();
    assert_eq!(back, [(Verdict::Healthy, reuse.next_multiple_of(10))], "noticed with the first reading after it");
    assert_eq!(quorum.why().suppressed, None);
}

#[test]
fn a_region_that_stays_lost_while_suspended_is_told_lost_in_the_end_and_then_held() {
    let (mut quorum, _) = flapping(damped(), 4);
    rounds(&mut quorum, 35..40, |_, _| Some(Seen::Fail));
    assert_eq!(quorum.verdict(), Verdict::Suspect);
    let suppressed = quorum.why().suppressed.unwrap();
    assert_eq!(suppressed.would_be, Verdict::Unhealthy);
    let mut told = Vec::new();
    for round in 40..400 {
        told.extend(rounds(&mut quorum, round..round + 1, |_, _| Some(Seen::Fail)));
    }
    let told: Vec<_> = told.iter().map(|t| t.to).collect();
    assert_eq!(told, [Verdict::Unhealthy], "no longer than the longest suppression");
}

#[test]
fn without_damping_every_change_is_told() {
    let (_, told) = flapping(QuorumPolicy { damping: None, ..damped() }, 6);
    assert_eq!(told.len(), 12, "{told:?}");
}

#[test]
fn a_blind_observer_is_no_flap() {
    let mut quorum = healthy_quorum(damped());
    for cycle in 0..20 {
        let from = 3 + 4 * cycle;
        rounds(&mut quorum, from..from + 2, |_, _| Some(Seen::Impaired));
        assert_eq!(quorum.verdict(), Verdict::Unknown);
        rounds(&mut quorum, from + 2..from + 4, |_, _| Some(Seen::Pass));
        assert_eq!(quorum.verdict(), Verdict::Healthy);
    }
}

#[test]
fn a_damping_that_cannot_work_is_refused() {
    let damping = Some(Damping { reuse: 5_000, ..Damping::default() });
    let invalid = Quorum::new(QuorumPolicy { damping, ..policy() }).unwrap_err();
    insta::assert_snapshot!(invalid.problems.join("\n"), @"damping lets a verdict go at 5000 and suspends it from 3000: reuse below suppress");
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Damping takes verdicts away and makes none: what is told lost with it is lost without it, or held from then.
    #[test]
    fn damping_never_calls_a_region_lost_by_itself(looks in moody_looks()) {
        let plain = QuorumPolicy { suspicion: None, damping: None, hold_down: Duration::ZERO, ..gray_policy() };
        let mut undamped = Quorum::new(plain.clone()).unwrap();
        let mut damped = Quorum::new(QuorumPolicy { damping: gray_policy().damping, ..plain }).unwrap();
        for o in observations(&looks) {
            undamped.observe(o.clone());
            damped.observe(o);
            match damped.why().suppressed {
                None => prop_assert_eq!(damped.verdict(), undamped.verdict()),
                Some(suppressed) => {
                    prop_assert_eq!(suppressed.would_be, undamped.verdict());
                    prop_assert!(matches!(damped.verdict(), Verdict::Suspect | Verdict::Unknown));
                }
            }
        }
    }
}
