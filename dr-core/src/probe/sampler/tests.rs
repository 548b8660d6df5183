//! What decides in a sampler is plain data: here it is held to its laws.

use std::{collections::BTreeMap, time::Duration};

use proptest::{collection::vec, prelude::*};

use super::{
    slots::Slots,
    timetable::{Timetable, Turn},
    watchdog::Watchdog,
    window::{Kept, Packed, Sample, SampleWindow, Seen},
};
use crate::time::{Monotonic, Timestamp};

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn at(since_origin: Duration) -> Monotonic {
    Monotonic::new(since_origin)
}

fn turns_until(table: &mut Timetable, end: Monotonic) -> Vec<Turn> {
    std::iter::from_fn(|| table.pop(end)).collect()
}

/// Some targets of some intervals, in groups.
fn intervals() -> impl Strategy<Value = Vec<Duration>> {
    let group = (1_usize..30, prop_oneof![Just(1_000), Just(10_000), 50_u64..20_000]);
    vec(group, 1..5).prop_map(|groups| groups.into_iter().flat_map(|(n, interval)| vec![ms(interval); n]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn turns_come_each_interval_to_the_nanosecond_and_in_order(intervals in intervals(), start in 0_u64..1_000_000) {
        let start = at(ms(start));
        let mut table = Timetable::new(start, intervals.iter().copied());
        let end = start + ms(60_000);
        let turns = turns_until(&mut table, end);
        prop_assert!(turns.is_sorted_by_key(|turn| turn.due));
        let mut of_target: BTreeMap<u32, Vec<Turn>> = BTreeMap::new();
        for turn in turns {
            of_target.entry(turn.target).or_default().push(turn);
        }
        for (target, interval) in (0_u32..).zip(&intervals) {
            let turns = of_target.remove(&target).unwrap_or_default();
            let first = turns.first().expect("its first turn is within an interval");
            prop_assert!(first.due >= start && first.due.since(start) < *interval);
            for (round, turn) in (0_u32..).zip(&turns) {
                prop_assert_eq!((turn.round, turn.due), (round, first.due + *interval * round), "target {}", target);
            }
            prop_assert!(first.due + *interval * turns.len() as u32 > end, "none is left out");
        }
    }

    #[test]
    fn turns_never_come_in_bursts(intervals in intervals(), width in 1_u64..5_000) {
        let mut table = Timetable::new(Monotonic::ZERO, intervals.iter().copied());
        let dues: Vec<Duration> =
            turns_until(&mut table, at(ms(45_000))).iter().map(|turn| turn.due.since_origin()).collect();
        let mut of_interval: BTreeMap<Duration, u32> = BTreeMap::new();
        for interval in &intervals {
            *of_interval.entry(*interval).or_default() += 1;
        }
        // Each group brings what its rate gives, and where the window's edge falls badly one company more: what is due in
        // 16 ms, 32 at most, and mostly a single turn.
        let most: f64 = of_interval
            .iter()
            .map(|(interval, n)| {
                let rate = f64::from(*n) / interval.as_secs_f64();
                (ms(width).as_secs_f64() * rate).ceil() + (ms(16).as_secs_f64() * rate).clamp(1.0, 32.0).floor()
            })
            .sum();
        for (i, from) in dues.iter().enumerate() {
            let within = dues[i..].iter().take_while(|due| **due - *from < ms(width)).count();
            prop_assert!(within as f64 <= most, "{} turns within {} ms from {:?}, expected {}", within, width, from, most);
        }
    }

    #[test]
    fn after_a_pause_the_turns_go_on_where_they_would_have_been(
        intervals in intervals(),
        before in 0_u64..30_000,
        pause in 0_u64..200_000,
    ) {
        let mut undisturbed = Timetable::new(Monotonic::ZERO, intervals.iter().copied());
        let mut table = Timetable::new(Monotonic::ZERO, intervals.iter().copied());
        turns_until(&mut table, at(ms(before)));
        let now = at(ms(before + pause));
        let mut passed = table.skip(now);
        passed.sort_unstable();
        prop_assert!(passed.windows(2).all(|pair| pair[0] != pair[1]), "each target is named once");
        let gone: Vec<Turn> =
            turns_until(&mut undisturbed, now).into_iter().filter(|turn| turn.due > at(ms(before))).collect();
        let mut expected: Vec<u32> = gone.iter().map(|turn| turn.target).collect();
        expected.sort_unstable();
        expected.dedup();
        prop_assert_eq!(passed, expected);
        let end = now + ms(30_000);
        let key = |turn: &Turn| (turn.due, turn.target);
        let (mut ours, mut theirs) = (turns_until(&mut table, end), turns_until(&mut undisturbed, end));
        ours.sort_by_key(key);
        theirs.sort_by_key(key);
        prop_assert_eq!(ours, theirs);
    }

    #[test]
    fn no_lane_takes_what_is_kept_for_another(
        total in 0_usize..40,
        lanes in 1_usize..6,
        moves in vec((0_usize..6, any::<bool>()), 0..200),
    ) {
        let mut slots = Slots::new(total, lanes);
        let mut held = vec![0_usize; lanes];
        let kept = (total / (2 * lanes)).max(1);
        for (lane, take) in moves {
            let lane = lane % lanes;
            if take {
                let free = slots.has(lane);
                prop_assert_eq!(slots.take(lane), free);
                held[lane] += usize::from(free);
            } else if held[lane] > 0 {
                slots.give_back(lane);
                held[lane] -= 1;
            }
            prop_assert!(held.iter().sum::<usize>() <= total.max(lanes), "{:?} of {}", held, total);
            for (lane, held) in held.iter().enumerate() {
                prop_assert!(*held >= kept || slots.has(lane), "lane {} has {} and gets none", lane, held);
            }
        }
    }

    #[test]
    fn a_window_keeps_the_last_looks_to_the_microsecond(
        looks in vec((0_u64..3_000_000, 0_u64..900_000_000, 0_usize..3), 0..300),
    ) {
        let (first, interval) = (at(ms(77)), ms(5_000));
        let mut kept = Kept::new();
        let mut all = Vec::new();
        for (round, (late, latency, seen)) in (0_u32..).zip(looks) {
            let (late, latency) = (Duration::from_micros(late), Duration::from_micros(latency));
            let seen = [Seen::Healthy, Seen::Unhealthy, Seen::Nothing][seen];
            kept.push(Packed::new(round, late, latency).seen(seen));
            all.push(Sample { began: first + interval * round + late, late, latency, seen, round });
        }
        let newest = all.split_off(all.len().saturating_sub(128));
        prop_assert_eq!(kept.unpack(first, interval), newest);
    }
}

#[test]
fn groups_of_different_intervals_do_not_fall_together() {
    // Each group alone has a turn at every whole second.
    let groups = [vec![ms(10_000); 10], vec![ms(5_000); 5], vec![ms(2_000); 2]].concat();
    let mut table = Timetable::new(Monotonic::ZERO, groups);
    let dues: Vec<Duration> =
        turns_until(&mut table, at(ms(60_000))).iter().map(|turn| turn.due.since_origin()).collect();
    let closest = dues.windows(2).map(|pair| pair[1] - pair[0]).min().unwrap();
    assert!(closest > ms(200), "{closest:?}: three turns a second can be 333 ms apart");
}

#[test]
fn many_targets_are_looked_at_in_companies_that_are_spread_evenly() {
    let begun = |targets: usize, interval: u64| {
        let mut table = Timetable::new(Monotonic::ZERO, vec![ms(interval); targets]);
        let mut at_once: BTreeMap<Duration, usize> = BTreeMap::new();
        for turn in turns_until(&mut table, at(ms(interval - 1))) {
            *at_once.entry(turn.due.since_origin()).or_default() += 1;
        }
        at_once
    };
    let alone = begun(60, 1_000);
    assert_eq!((alone.len(), alone.values().max()), (60, Some(&1)), "60 a second are woken for one by one");
    let gathered = begun(2_000, 1_000);
    assert_eq!((gathered.len(), gathered.values().max()), (63, Some(&32)));
    let apart: Vec<Duration> = gathered.keys().zip(gathered.keys().skip(1)).map(|(a, b)| *b - *a).collect();
    assert!(apart.iter().all(|gap| *gap == ms(16)), "{apart:?}");
    // Ten thousand looks a second come in companies of 32 all the same.
    let crowd = begun(100_000, 10_000);
    assert_eq!((crowd.len(), crowd.values().max()), (3_125, Some(&32)));
}

#[test]
fn a_target_takes_at_most_four_kilobytes() {
    let room = size_of::<Kept>() + size_of::<super::target::Target>();
    assert!(room <= 1_700, "{room} bytes, before the probe's own");
}

#[test]
fn percentiles_are_the_nearest_rank_of_what_was_seen() {
    let interval = ms(1_000);
    let mut kept = Kept::new();
    for round in 0..100 {
        let seen = if round == 99 { Seen::Nothing } else { Seen::Healthy };
        kept.push(Packed::new(round, ms(u64::from(round % 2)), ms(u64::from(round) + 1)).seen(seen));
    }
    let window = SampleWindow::new(interval, kept.unpack(Monotonic::ZERO, interval));
    assert_eq!(window.latency(0.5), Some(ms(50)));
    assert_eq!(window.latency(1.0), Some(ms(99)), "the hundredth saw nothing");
    assert_eq!(window.latency(0.0), Some(ms(1)));
    assert_eq!((window.spacing(0.25), window.spacing(0.99)), (Some(ms(999)), Some(ms(1_001))));
    let error = window.period_error().unwrap();
    assert!((error - 1e-3 / 99.0).abs() < 1e-9, "{error}");
    assert_eq!(window.healthy(), Some(1.0));
    let empty = SampleWindow::new(interval, Vec::new());
    assert_eq!(
        (empty.latency(0.5), empty.spacing(0.5), empty.period_error(), empty.healthy()),
        (None, None, None, None)
    );
}

fn wall(since: Duration) -> Timestamp {
    Timestamp::UNIX_EPOCH + since
}

/// A watchdog with a tolerance of half a second, asked as on a healthy machine up to `until`.
fn watched(until: Duration) -> (Watchdog, Duration) {
    let mut dog = Watchdog::new(ms(500), Monotonic::ZERO, wall(Duration::ZERO));
    let mut now = Duration::ZERO;
    while now < until {
        dog.arm(at(now + ms(250)));
        now += ms(252);
        assert_eq!(dog.check(at(now), wall(now)), None);
    }
    (dog, now)
}

#[test]
fn ordinary_lateness_is_no_pause_however_long_it_goes_on() {
    let (dog, _) = watched(Duration::from_secs(3600));
    assert_eq!(dog.polluted(super::watchdog::Mark::default()), None);
}

#[test]
fn a_pause_is_noticed_and_pollutes_what_was_under_way_and_nothing_later() {
    let (mut dog, mut now) = watched(ms(1_000));
    let before = dog.mark();
    dog.arm(at(now + ms(250)));
    now += ms(5_250);
    assert_eq!(dog.check(at(now), wall(now)), Some(ms(5_000)));
    assert_eq!(dog.check(at(now), wall(now)), None, "it is told once");
    assert_eq!(dog.polluted(before).as_deref(), Some("it stood still itself for 5 s of the look"));
    assert_eq!(dog.polluted(dog.mark()), None);
}

#[test]
fn many_short_pauses_pollute_a_look_as_one_long_does() {
    let (mut dog, mut now) = watched(ms(1_000));
    let before = dog.mark();
    for _ in 0..4 {
        assert_eq!(dog.polluted(before), None);
        dog.arm(at(now + ms(10)));
        now += ms(160);
        assert_eq!(dog.check(at(now), wall(now)), None, "each is shorter than what is called a pause");
    }
    assert!(dog.polluted(before).is_some());
}

#[test]
fn clocks_that_fall_apart_are_not_trusted() {
    for (step, said) in [(3_600_000_i64, "ahead by 3600 s"), (-3_600_000, "back by 3600 s")] {
        let (mut dog, now) = watched(Duration::from_secs(7200));
        let before = dog.mark();
        dog.arm(at(now + ms(250)));
        let set = Timestamp::from_millis(i64::try_from(now.as_millis()).unwrap() + 250 + step);
        assert_eq!(dog.check(at(now + ms(250)), set), None, "the monotonic clock shows no pause");
        let why = dog.polluted(before).unwrap();
        assert!(why.contains(said) && why.contains("not to be trusted"), "{why}");
        assert_eq!(dog.polluted(dog.mark()), None, "what begins now is measured by clocks that go on together");
    }
}

#[test]
fn a_monotonic_clock_that_goes_back_is_not_trusted() {
    let (mut dog, now) = watched(ms(10_000));
    let before = dog.mark();
    dog.arm(at(now + ms(250)));
    assert_eq!(dog.check(at(now - ms(2_000)), wall(now)), None);
    assert!(dog.polluted(before).unwrap().contains("went back by 2 s"));
}

#[test]
fn a_clock_that_is_being_corrected_is_trusted() {
    let mut dog = Watchdog::new(ms(500), Monotonic::ZERO, wall(Duration::ZERO));
    // Five hundred millionths fast, as far as a clock is slewed, asked once an hour.
    for hour in 1..100_u64 {
        let now = Duration::from_secs(3600 * hour);
        dog.arm(at(now));
        dog.check(at(now), wall(now + now / 2_000));
    }
    assert_eq!(dog.polluted(super::watchdog::Mark::default()), None);
}
