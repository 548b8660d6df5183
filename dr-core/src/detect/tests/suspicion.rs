//! Waits that are longer than usual.

use super::*;

fn suspicious() -> QuorumPolicy {
    QuorumPolicy { suspicion: Some(Suspicion::default()), ..policy() }
}

#[test]
fn a_wait_beyond_chance_is_suspect_before_any_look_has_failed_and_unhealthy_never() {
    let mut quorum = Quorum::new(suspicious()).unwrap();
    rounds(&mut quorum, 0..12, |_, _| Some(Seen::Pass));
    assert_eq!(quorum.verdict(), Verdict::Healthy);
    // The last looks of all ended at 110 s, and nothing comes.
    assert_eq!(quorum.tick(Monotonic::new(s(122))), None);
    let told = quorum.tick(Monotonic::new(s(123))).unwrap();
    assert_eq!(told.to, Verdict::Suspect, "10 s and 5.6 deviations of half a second");
    insta::assert_snapshot!(told.to_string(), @"us-east-1 suspect: an answer is overdue for 3 of 3 observers");
    for later in 124..144 {
        quorum.tick(Monotonic::new(s(later)));
        assert_eq!(quorum.verdict(), Verdict::Suspect);
    }
    quorum.tick(Monotonic::new(s(160)));
    assert_eq!(quorum.verdict(), Verdict::Unknown, "nobody has said anything");
}

#[test]
fn one_observer_that_waits_suspects_nothing_and_a_good_look_ends_a_suspicion() {
    let mut quorum = Quorum::new(suspicious()).unwrap();
    rounds(&mut quorum, 0..12, |_, _| Some(Seen::Pass));
    rounds(&mut quorum, 12..13, |place, _| (place != 0).then_some(Seen::Pass));
    quorum.tick(Monotonic::new(s(126)));
    assert_eq!(quorum.verdict(), Verdict::Healthy);
    quorum.tick(Monotonic::new(s(134)));
    assert_eq!(quorum.verdict(), Verdict::Suspect);
    rounds(&mut quorum, 14..15, |_, _| Some(Seen::Pass));
    assert_eq!(quorum.verdict(), Verdict::Healthy);
}

#[test]
fn what_the_observers_missed_while_they_were_paused_is_not_taken_for_usual() {
    let mut quorum = Quorum::new(suspicious()).unwrap();
    rounds(&mut quorum, 0..12, |_, _| Some(Seen::Pass));
    // Their machine stood still for 20 s, which the sampler says of the looks that it spoilt.
    rounds(&mut quorum, 13..14, |_, _| Some(Seen::Impaired));
    rounds(&mut quorum, 14..15, |_, _| Some(Seen::Pass));
    assert_eq!(quorum.tick(Monotonic::new(s(152))), None);
    assert_eq!(quorum.tick(Monotonic::new(s(153))).map(|t| t.to), Some(Verdict::Suspect), "as before the pause");
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn suspicion_alone_never_trips_and_never_clears(looks in moody_looks(), phi in 1..12_u32) {
        let plain = QuorumPolicy { suspicion: None, ..gray_policy() };
        let mut without = Quorum::new(plain.clone()).unwrap();
        let suspicion = Suspicion { phi, min_deviation: Duration::from_millis(50), samples: 8 };
        let mut with = Quorum::new(QuorumPolicy { suspicion: Some(suspicion), ..plain }).unwrap();
        for o in observations(&looks) {
            without.observe(o.clone());
            with.observe(o);
            if with.verdict() != without.verdict() {
                prop_assert_eq!((without.verdict(), with.verdict()), (Verdict::Healthy, Verdict::Suspect));
            }
        }
    }
}
