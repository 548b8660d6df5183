//! What holds whatever is seen, in whatever order.

use super::*;

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
