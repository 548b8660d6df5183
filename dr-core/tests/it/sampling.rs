//! Samplers and quorums on virtual time: no socket, no wall clock, the same result each time.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    detect::{
        CheckPolicy, Detector as _, Observer, Quorum, QuorumPolicy, Verdict, detection_bounds, fixed_rate_bounds,
    },
    error::{Error, ErrorKind, Result},
    model::VantageId,
    probe::{CheckKind, HealthProbe, Latency, Observation, Outcome, ProbeCx, Reading, Sampler, Subject},
    time::{Clock, ManualClock, Monotonic, Timestamp},
};
use futures::future::BoxFuture;
use proptest::prelude::{Just, ProptestConfig, prop_oneof, proptest};
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

const fn s(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

/// What a fake target does to a look that begins at the given moment.
#[derive(Clone, Copy, Debug)]
enum Answer {
    /// Answers well after this time.
    Pass(Duration),
    /// Fails after this time: zero for a refusal, the timeout for a black hole.
    Fail(Duration),
    /// Cannot be looked at.
    Blind,
    /// Brings the probe down.
    Panic,
}

type Script = dyn Fn(Monotonic) -> Answer + Send + Sync;

/// A probe that keeps the moments at which it looked.
struct Scripted {
    subject: Subject,
    vantage: VantageId,
    script: Box<Script>,
    looks: Mutex<Vec<Monotonic>>,
    under_way: Arc<AtomicUsize>,
    most: Arc<AtomicUsize>,
}

impl fmt::Debug for Scripted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Scripted").field(&self.subject).field(&self.vantage).finish()
    }
}

impl Scripted {
    fn new(probe: &str, vantage: &str, script: impl Fn(Monotonic) -> Answer + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            subject: Subject::infrastructure(probe.parse().unwrap(), "us-east-1".parse().unwrap()),
            vantage: vantage.parse().unwrap(),
            script: Box::new(script),
            looks: Mutex::default(),
            under_way: Arc::default(),
            most: Arc::default(),
        })
    }

    fn looks(&self) -> Vec<Duration> {
        self.looks.lock().unwrap().iter().map(|at| at.since_origin()).collect()
    }
}

#[async_trait]
impl HealthProbe for Scripted {
    fn subject(&self) -> &Subject {
        &self.subject
    }

    fn vantage(&self) -> &VantageId {
        &self.vantage
    }

    async fn probe(&self, cx: &ProbeCx) -> Result<Reading> {
        let began = cx.clock().monotonic();
        self.looks.lock().unwrap().push(began);
        let running = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        let reading = match (self.script)(began) {
            Answer::Pass(after) => {
                cx.clock().sleep(after).await;
                Ok(Reading::healthy(Latency::of(after), "answered 200 OK"))
            }
            Answer::Fail(after) => {
                cx.clock().sleep(after).await;
                Ok(Reading::unhealthy(Latency::of(after), "failed"))
            }
            Answer::Blind => Err(Error::new(ErrorKind::Internal, "no file descriptors left")),
            Answer::Panic => panic!("this panic belongs to the test"),
        };
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        reading
    }
}

fn control(vantage: &str) -> Arc<Scripted> {
    Scripted::new("control", vantage, |_| Answer::Pass(ms(1)))
}

/// Lets every task that can run do so. One thread runs them all, so a handful of turns is enough.
async fn settle() {
    for _ in 0..25 {
        tokio::task::yield_now().await;
    }
}

/// Runs a sampler on virtual time up to `end`, and gives what it emitted.
async fn run(clock: &ManualClock, sampler: Sampler, end: Duration) -> Vec<Observation> {
    let (out, mut seen) = mpsc::channel(1024);
    let stop = CancellationToken::new();
    let running = tokio::spawn(sampler.run(out, stop.clone()));
    let mut observations = Vec::new();
    loop {
        settle().await;
        while let Ok(o) = seen.try_recv() {
            observations.push(o);
        }
        match clock.next_deadline() {
            Some(next) if next.since_origin() <= end => drop(clock.advance_to_next()),
            _ => break,
        }
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    observations
}

fn clock() -> (ManualClock, Arc<ManualClock>) {
    let clock = ManualClock::new();
    (clock.clone(), Arc::new(clock))
}

#[tokio::test]
async fn looks_begin_at_whole_intervals_however_long_they_take() {
    let (clock, shared) = clock();
    let slow = Scripted::new("slow", "office", |_| Answer::Pass(ms(3_333)));
    let longer = Scripted::new("longer", "office", |_| Answer::Pass(s(12)));
    let sampler =
        Sampler::new(shared).control(control("office"), s(10)).probe(slow.clone(), s(10)).probe(longer.clone(), s(10));
    run(&clock, sampler, s(1_000)).await;
    let expected: Vec<Duration> = (0..=100).map(|k| s(10 * k)).collect();
    assert_eq!(slow.looks(), expected, "no drift in a hundred rounds");
    let expected: Vec<Duration> = (0..50).map(|k| s(5 + 20 * k)).collect();
    assert_eq!(longer.looks(), expected, "a look that overruns waits for the next whole interval");
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let (clock, shared) = clock();
    let hung = Scripted::new("hung", "office", |_| Answer::Fail(s(100_000)));
    let quick: Vec<_> =
        (0..4).map(|i| Scripted::new(&format!("quick-{i}"), "office", |_| Answer::Pass(ms(5)))).collect();
    let mut sampler = Sampler::new(shared).control(control("office"), s(10)).probe(hung, s(10));
    for probe in &quick {
        sampler = sampler.probe(probe.clone(), s(10));
    }
    run(&clock, sampler, s(300)).await;
    for (i, probe) in (1..).zip(&quick) {
        let expected: Vec<Duration> = (0..30).map(|k| s(10 * k + 2 * i)).collect();
        assert_eq!(probe.looks(), expected, "phases are spread over the interval, and kept");
    }
}

#[tokio::test]
async fn an_observer_without_slots_says_that_it_is_overloaded_and_not_that_targets_are_sick() {
    let (clock, shared) = clock();
    let most = Arc::new(AtomicUsize::new(0));
    let under_way = Arc::new(AtomicUsize::new(0));
    let mut sampler = Sampler::new(shared).slots(2).control(control("office"), s(10));
    for i in 0..6 {
        let mut probe = Arc::into_inner(Scripted::new(&format!("p{i}"), "office", |_| Answer::Pass(s(9)))).unwrap();
        (probe.most, probe.under_way) = (Arc::clone(&most), Arc::clone(&under_way));
        sampler = sampler.probe(Arc::new(probe), s(10));
    }
    let observations = run(&clock, sampler, s(200)).await;
    assert_eq!(most.load(Ordering::SeqCst), 2);
    let overloaded = observations.iter().filter(|o| o.outcome.to_string().contains("overloaded")).count();
    assert!(overloaded > 10, "{overloaded} of {}", observations.len());
    let sick = observations.iter().filter(|o| o.outcome.reading().is_some_and(|r| !r.is_healthy())).count();
    assert_eq!(sick, 0);
}

#[tokio::test]
async fn an_observer_that_cannot_reach_its_control_target_has_no_vote() {
    let (clock, shared) = clock();
    // The observer is cut off from 100 s to 200 s: everything times out, its control target too.
    let cut_off = |at: Monotonic| match at.since_origin().as_secs() {
        100..200 => Answer::Fail(s(4)),
        _ => Answer::Pass(ms(5)),
    };
    let control = Scripted::new("control", "office", cut_off);
    let mut sampler = Sampler::new(shared).control(control.clone(), s(10));
    for i in 0..20 {
        sampler = sampler.probe(Scripted::new(&format!("p{i}"), "office", cut_off), s(10));
    }
    let observations = run(&clock, sampler, s(300)).await;
    for o in &observations {
        let during = (100..200).contains(&o.at.since_origin().as_secs());
        match &o.outcome {
            Outcome::Looked(reading) => assert!(reading.is_healthy(), "a sick reading got through: {o:?}"),
            Outcome::ObserverImpaired { reason } => {
                assert!(reason.contains("control target control"), "{reason}");
                assert!(during || (200..212).contains(&o.at.since_origin().as_secs()), "{o:?}");
            }
            Outcome::CouldNotLook(_) => panic!("{o:?}"),
        }
    }
    let last = observations.iter().rev().take(20).all(|o| o.outcome.reading().is_some());
    assert!(last, "it votes again");
    // A hundred seconds of twenty probes failing each ten, and each asks: they share the looks.
    let asked = control.looks().iter().filter(|at| (100..200).contains(&at.as_secs())).count();
    assert!(asked <= 30, "{asked} looks at the control target");
}

#[tokio::test]
async fn a_lost_region_is_seen_by_an_observer_that_is_well() {
    let (clock, shared) = clock();
    let sick = Scripted::new("front", "office", |_| Answer::Fail(s(4)));
    let sampler = Sampler::new(shared).control(control("office"), s(10)).probe(sick, s(10));
    let observations = run(&clock, sampler, s(60)).await;
    assert!(observations.len() >= 5);
    for o in observations {
        assert_eq!(o.outcome.reading().map(Reading::is_healthy), Some(false), "{o:?}");
        assert_eq!(o.at.since_origin().as_millis() % 10_000, 4_000, "dated when the look ended, not when vouched for");
    }
}

#[tokio::test]
async fn a_probe_that_breaks_is_blind_and_goes_on() {
    let (clock, shared) = clock();
    let broken = Scripted::new("broken", "office", |at| match at.since_origin().as_secs() {
        0..15 => Answer::Panic,
        15..25 => Answer::Blind,
        _ => Answer::Pass(ms(1)),
    });
    let sampler = Sampler::new(shared).control(control("office"), s(10)).probe(broken, s(10));
    let said: Vec<String> = run(&clock, sampler, s(35)).await.iter().map(|o| o.outcome.to_string()).collect();
    assert_eq!(
        said,
        [
            "could not look: the probe panicked",
            "could not look: the probe panicked",
            "could not look: no file descriptors left",
            "answered 200 OK",
        ]
    );
}

#[tokio::test]
async fn what_cannot_run_is_refused_with_every_reason() {
    let (_, shared) = clock();
    let twice = control("lab");
    let sampler = Sampler::new(shared)
        .control(control("office"), s(10))
        .control(control("office"), Duration::ZERO)
        .probe(twice.clone(), s(10))
        .probe(twice, s(10));
    let (out, _seen) = mpsc::channel(1);
    let error = sampler.run(out, CancellationToken::new()).await.unwrap_err();
    insta::assert_snapshot!(error.to_string().replace("; ", "\n"), @r"
    the sampler cannot run: office has two control targets: give it one
    lab runs control for us-east-1 twice
    lab has no control target: name something that is well when both regions are not
    the interval of control is zero
    ");
}

#[tokio::test]
async fn it_ends_when_nobody_listens() {
    let (clock, shared) = clock();
    let probe = Scripted::new("front", "office", |_| Answer::Pass(ms(1)));
    let sampler = Sampler::new(shared).control(control("office"), s(10)).probe(probe, s(10));
    let (out, seen) = mpsc::channel(1);
    drop(seen);
    let running = tokio::spawn(sampler.run(out, CancellationToken::new()));
    settle().await;
    clock.advance(s(20));
    settle().await;
    assert!(running.is_finished());
}

/// A clock whose wall can be set, as an operator or a time server does.
#[derive(Debug)]
struct SettableWall {
    clock: ManualClock,
    ahead: Mutex<Duration>,
}

impl Clock for SettableWall {
    fn wall(&self) -> Timestamp {
        self.clock.wall() + *self.ahead.lock().unwrap()
    }

    fn monotonic(&self) -> Monotonic {
        self.clock.monotonic()
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        self.clock.sleep(d)
    }
}

/// Runs `during` at `from`, in the middle of what else happens.
async fn run_and(
    clock: &ManualClock,
    sampler: Sampler,
    (from, end): (Duration, Duration),
    during: impl FnOnce(&ManualClock),
) -> Vec<Observation> {
    let (out, mut seen) = mpsc::channel(1024);
    let stop = CancellationToken::new();
    let running = tokio::spawn(sampler.run(out, stop.clone()));
    let mut observations = Vec::new();
    let mut during = Some(during);
    loop {
        settle().await;
        while let Ok(o) = seen.try_recv() {
            observations.push(o);
        }
        match clock.next_deadline() {
            Some(next) if during.is_some() && next.since_origin() > from => {
                clock.advance(from.saturating_sub(clock.monotonic().since_origin()));
                settle().await;
                during.take().into_iter().for_each(|during| during(clock));
            }
            Some(next) if next.since_origin() <= end => drop(clock.advance_to_next()),
            _ => break,
        }
    }
    stop.cancel();
    running.await.unwrap().unwrap();
    observations
}

#[tokio::test]
async fn what_was_under_way_while_the_process_stood_still_is_thrown_away() {
    let (clock, shared) = clock();
    // Every look is swallowed by the pause at 42 s: it would have been answered within the second.
    let slow = |name: &str| {
        Scripted::new(name, "office", |at| match at.since_origin().as_secs() {
            40..48 => Answer::Fail(s(4)),
            _ => Answer::Pass(s(1)),
        })
    };
    let targets: Vec<_> = (0..10).map(|i| slow(&format!("p{i}"))).collect();
    let mut sampler = Sampler::new(shared).control(control("office"), s(10));
    for target in &targets {
        sampler = sampler.probe(target.clone(), s(10));
    }
    let windows = sampler.windows();
    // Looks began at 40 s, 41 s and 42 s, and none of them has ended.
    let observations = run_and(&clock, sampler, (ms(42_500), s(100)), |clock| clock.advance(s(5))).await;
    let sick = observations.iter().filter(|o| o.outcome.reading().is_some_and(|r| !r.is_healthy())).count();
    assert_eq!(sick, 0, "{observations:#?}");
    let thrown: Vec<String> = observations
        .iter()
        .filter(|o| (ms(47_000)..s(49)).contains(&o.at.since_origin()))
        .map(|o| format!("{} {} {}", o.at.since_origin().as_millis(), o.subject.probe, o.outcome))
        .collect();
    insta::assert_snapshot!(thrown.join("\n"), @r"
    47500 p3 observer impaired: it stood still itself for 4.7 s, and a look was left out
    47500 p4 observer impaired: it stood still itself for 4.7 s, and a look was left out
    47500 p5 observer impaired: it stood still itself for 4.7 s, and a look was left out
    47500 p6 observer impaired: it stood still itself for 4.7 s, and a look was left out
    47500 p7 observer impaired: it stood still itself for 4.7 s, and a look was left out
    47500 p0 observer impaired: it stood still itself for 4.7 s of the look
    47500 p1 observer impaired: it stood still itself for 4.7 s of the look
    47500 p2 observer impaired: it stood still itself for 4.7 s of the look
    ");
    for (i, target) in (0_u64..).zip(&targets) {
        let looks: Vec<u64> = target.looks().iter().map(|at| at.as_secs()).collect();
        let paused = (3..=7).contains(&i);
        let expected: Vec<u64> = (0..10).filter(|k| !(paused && *k == 4)).map(|k| 10 * k + i).collect();
        assert_eq!(
            looks.get(..9),
            expected.get(..9),
            "p{i} goes on where it would have been, and makes up for nothing"
        );
    }
    let tally = windows.tally();
    assert_eq!((tally.pauses, tally.polluted, tally.overloaded), (1, 8, 0), "{tally:?}");
    assert!(tally.longest_pause >= ms(4_500), "{tally:?}");
}

#[tokio::test]
async fn an_observer_whose_clock_was_set_says_so() {
    let manual = ManualClock::new();
    let settable = Arc::new(SettableWall { clock: manual.clone(), ahead: Mutex::default() });
    let target = Scripted::new("front", "office", |_| Answer::Fail(s(4)));
    let sampler = Sampler::new(settable.clone()).control(control("office"), s(10)).probe(target, s(10));
    let set = |_: &ManualClock| *settable.ahead.lock().unwrap() = s(3600);
    let observations = run_and(&manual, sampler, (s(22), s(40)), set).await;
    let said: Vec<String> = observations.iter().map(|o| o.outcome.to_string()).collect();
    assert_eq!(
        said,
        [
            "failed",
            "failed",
            "observer impaired: its clocks are not to be trusted: its wall clock went ahead by 3600 s: the machine was \
             suspended or its clock was set",
            "failed",
        ]
    );
}

#[tokio::test]
async fn a_region_that_swallows_everything_leaves_the_other_its_slots() {
    let (clock, shared) = clock();
    let in_region = |name: &str, region: &str, answer: Answer| {
        let mut probe = Arc::into_inner(Scripted::new(name, "office", move |_| answer)).unwrap();
        probe.subject.region = region.parse().unwrap();
        Arc::new(probe)
    };
    let mut sampler = Sampler::new(shared).slots(8).control(control("office"), s(1));
    let mut well = Vec::new();
    // Forty looks a second that take four seconds each want 160 slots.
    for i in 0..40 {
        sampler = sampler.probe(in_region(&format!("dead-{i}"), "us-east-1", Answer::Fail(s(4))), s(1));
        if i % 10 == 0 {
            let probe = in_region(&format!("well-{i}"), "eu-west-1", Answer::Pass(ms(100)));
            well.push(probe.clone());
            sampler = sampler.probe(probe, s(1));
        }
    }
    let observations = run(&clock, sampler, s(30)).await;
    for probe in well {
        let looks = probe.looks();
        let first = looks[0];
        let expected: Vec<Duration> = (0..30).map(|k| first + s(k)).collect();
        assert_eq!(looks.get(..30), expected.get(..30), "{probe:?}");
    }
    let dead: Vec<_> = observations.iter().filter(|o| o.subject.region == *"us-east-1").collect();
    let seen = |o: &&&Observation| o.outcome.reading().is_some();
    assert!(dead.iter().filter(seen).count() >= 30, "the lost region is still seen to be lost");
    let looked_at: BTreeSet<_> = dead.iter().filter(seen).map(|o| &o.subject.probe).collect();
    assert!(looked_at.len() >= 35, "slots go round: {} of 40 targets", looked_at.len());
    for o in dead.iter().filter(|o| !seen(o)) {
        assert!(o.outcome.to_string().contains("overloaded: a look waited 1 s"), "{o:?}");
    }
}

#[tokio::test]
async fn a_receiver_that_does_not_take_is_told_what_it_missed() {
    let (clock, shared) = clock();
    let probes: Vec<_> = (0..3).map(|i| Scripted::new(&format!("p{i}"), "office", |_| Answer::Pass(ms(5)))).collect();
    let mut sampler = Sampler::new(shared).control(control("office"), s(10));
    for probe in &probes {
        sampler = sampler.probe(probe.clone(), s(10));
    }
    let (out, mut seen) = mpsc::channel(1);
    let stop = CancellationToken::new();
    let running = tokio::spawn(sampler.run(out, stop.clone()));
    settle().await;
    while clock.monotonic().since_origin() < s(45) {
        clock.advance_to_next();
        settle().await;
    }
    let waiting: Vec<usize> = probes.iter().map(|probe| probe.looks().len()).collect();
    assert_eq!(waiting, [2, 1, 1], "one observation of each target waits, and no more is done");
    let mut said = Vec::new();
    while said.len() < 7 {
        match seen.try_recv() {
            Ok(o) => said.push(format!("{} {}", o.subject.probe, o.outcome)),
            Err(_) => settle().await,
        }
    }
    insta::assert_snapshot!(said.join("\n"), @r"
    p0 answered 200 OK
    p1 answered 200 OK
    p2 answered 200 OK
    p0 answered 200 OK
    p1 observer impaired: overloaded: nobody took what was seen for 43.3 s
    p2 observer impaired: overloaded: nobody took what was seen for 40 s
    p0 observer impaired: overloaded: nobody took what was seen for 36.7 s
    ");
    stop.cancel();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn windows_can_be_read_while_the_sampler_runs() {
    let (clock, shared) = clock();
    let probe = Scripted::new("front", "office", |at| match at.since_origin().as_secs() {
        50..70 => Answer::Fail(s(4)),
        _ => Answer::Pass(ms(20)),
    });
    let sampler = Sampler::new(shared).control(control("office"), s(10)).probe(probe.clone(), s(10));
    let windows = sampler.windows();
    assert_eq!(windows.window(&probe.vantage, &probe.subject), None, "it does not run yet");
    run_and(&clock, sampler, (s(95), s(200)), |_| {
        let window = windows.window(&probe.vantage, &probe.subject).unwrap();
        assert_eq!(window.samples().len(), 10);
        assert_eq!((window.latency(0.5), window.latency(0.99)), (Some(ms(20)), Some(s(4))));
        assert_eq!((window.period_error(), window.spacing(0.99)), (Some(0.0), Some(s(10))));
        assert_eq!(window.healthy(), Some(0.8));
    })
    .await;
    assert_eq!(windows.window(&probe.vantage, &probe.subject).unwrap().samples().len(), 20);
    assert_eq!(windows.iter().count(), 1);
    let elsewhere = Subject::infrastructure("elsewhere".parse().unwrap(), "us-east-1".parse().unwrap());
    assert_eq!(windows.window(&probe.vantage, &elsewhere), None);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Targets of any intervals and latencies, some of which never answer: each looks at its own whole intervals, never twice at
    /// once, and as though the others were not there.
    #[test]
    fn no_target_drifts_overlaps_or_delays_another(
        targets in proptest::collection::vec((500_u64..8_000, prop_oneof![0_u64..10_000, Just(1_000_000)]), 1..12),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let (clock, shared) = clock();
            let mut sampler = Sampler::new(shared).control(control("office"), s(10));
            let mut probes = Vec::new();
            for (i, (interval, latency)) in targets.iter().enumerate() {
                let latency = ms(*latency);
                let probe = Scripted::new(&format!("p{i}"), "office", move |_| Answer::Pass(latency));
                probes.push((probe.clone(), ms(*interval), latency));
                sampler = sampler.probe(probe, ms(*interval));
            }
            run(&clock, sampler, s(60)).await;
            for (probe, interval, latency) in probes {
                assert_eq!(probe.most.load(Ordering::SeqCst), 1, "two looks of one probe never overlap");
                let looks = probe.looks();
                assert!(looks[0] < interval);
                // A look that is still under way at its next turn lets that go by.
                let every = (latency.as_nanos() / interval.as_nanos()) as u32 + 1;
                let ends_on_turn = latency.as_nanos() % interval.as_nanos() == 0 && !latency.is_zero();
                for (k, at) in (0_u32..).zip(&looks) {
                    let since = *at - looks[0];
                    if ends_on_turn {
                        assert_eq!(since.as_nanos() % interval.as_nanos(), 0);
                    } else {
                        assert_eq!(since, interval * every * k, "{interval:?} {latency:?}");
                    }
                }
            }
        });
    }
}

const OBSERVERS: [&str; 3] = ["us-east-1", "eu-west-1", "eu-central-1"];

fn quorum() -> Quorum {
    Quorum::new(QuorumPolicy {
        region: "us-east-1".parse().unwrap(),
        pair: vec!["us-east-1".parse().unwrap(), "eu-west-1".parse().unwrap()],
        observers: OBSERVERS
            .iter()
            .map(|place| Observer { vantage: place.parse().unwrap(), region: Some(place.parse().unwrap()) })
            .collect(),
        quorum: 2,
        checks: vec![CheckPolicy {
            probe: "front".parse().unwrap(),
            kind: CheckKind::Infrastructure,
            trip: 3,
            clear: 2,
            stale_after: s(50),
        }],
        dwell: Duration::ZERO,
        hold_down: s(60),
        gray_dwell: None,
        checks_fail_dwell: None,
        damping: None,
        suspicion: None,
    })
    .unwrap()
}

/// The time from the fault to the verdict, when each look from `fault` on fails after `cost`.
async fn detect(fault: Duration, cost: Duration) -> Duration {
    let (clock, shared) = clock();
    let mut sampler = Sampler::new(shared);
    for place in OBSERVERS {
        let script = move |at: Monotonic| {
            if at.since_origin() < fault { Answer::Pass(Duration::ZERO) } else { Answer::Fail(cost) }
        };
        sampler = sampler.control(control(place), s(10)).probe(Scripted::new("front", place, script), s(10));
    }
    let mut quorum = quorum();
    let mut tripped = None;
    for o in run(&clock, sampler, fault + s(60)).await {
        let at = o.at;
        if let Some(transition) = quorum.observe(o)
            && transition.to == Verdict::Unhealthy
        {
            assert!(tripped.is_none(), "it trips once");
            assert_eq!(transition.at, at);
            tripped = Some(at.since_origin());
        }
        assert!(at.since_origin() >= fault || matches!(quorum.verdict(), Verdict::Unknown | Verdict::Healthy));
    }
    tripped.expect("the fault was noticed") - fault
}

#[tokio::test]
async fn detection_time_lies_inside_the_closed_form_for_a_thousand_phases() {
    let mut random = ChaCha8Rng::seed_from_u64(0x5eed);
    let mut widest = (Duration::MAX, Duration::ZERO);
    for _ in 0..1_000 {
        let fault = s(30) + Duration::from_nanos(random.random_range(0..s(10).as_nanos() as u64));
        // Refused, swallowed (4 s to connect), and slow to connect and then silent (4 s and 2 s).
        let cost = [Duration::ZERO, s(4), s(6)][random.random_range(0..3)];
        let took = detect(fault, cost).await;
        let ours = fixed_rate_bounds(s(10), cost, 3);
        assert!(ours.contains(took), "{took:?} after a fault at {fault:?} costing {cost:?} is outside {ours:?}");
        let route53 = detection_bounds(s(10), cost, 3);
        assert!(route53.contains(took), "{took:?} is outside {route53:?}");
        if cost.is_zero() {
            widest = (widest.0.min(took), widest.1.max(took));
        }
    }
    assert!(widest.0 < s(25) && widest.1 > s(25), "the phases are spread: {widest:?}");
}
