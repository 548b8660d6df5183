//! What is believed of an answer, and what becomes of an observer whose answers are not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use proptest::prelude::*;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{
    error::{Error, ErrorKind, Result},
    journal::{Ed25519Signer, Ed25519Verifier},
    model::VantageId,
    probe::{Latency, Observation, Outcome, ProbeCx, Reading, Subject},
    time::{Clock as _, ManualClock, Monotonic, Timestamp},
};

const NAME: &str = "observer-eu-central-1";

const fn at(millis: u64) -> Monotonic {
    Monotonic::new(Duration::from_millis(millis))
}

fn name() -> VantageId {
    NAME.parse().unwrap()
}

fn signer(seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed("its-key", &[seed; 32]).unwrap()
}

fn reception() -> Reception {
    Reception::new(name(), Arc::new(Ed25519Verifier::new().trust("its-key", signer(1).public_key())))
}

fn subject() -> Subject {
    Subject::infrastructure("storefront".parse().unwrap(), "us-east-1".parse().unwrap())
}

fn seen(at: Monotonic, reason: &str) -> Observation {
    let outcome = Outcome::Looked(Reading::healthy(Latency::default(), reason));
    Observation { subject: subject(), vantage: name(), at, wall: Timestamp::UNIX_EPOCH, outcome }
}

fn log(boot: u128, looks: &[u64]) -> ReadingLog {
    let mut log = ReadingLog::new(name(), BootId::from_bits(boot), 100);
    looks.iter().for_each(|millis| log.push(seen(at(*millis), "answered 200 OK")));
    log
}

fn signed(statement: &Statement, signer: &Ed25519Signer) -> Vec<u8> {
    serde_json::to_vec(&futures::executor::block_on(statement.sign(signer)).unwrap()).unwrap()
}

fn exchange(asked: u64, answered: u64) -> Exchange {
    Exchange { asked: at(asked), answered: at(answered), wall: Timestamp::from_millis(1_000_000) }
}

/// Asks a log and takes in what it answers.
fn pull(reception: &mut Reception, log: &ReadingLog, now: u64, nonce: u128) -> Result<Delivery, Refusal> {
    let question = reception.question(Nonce::from_bits(nonce));
    let answer = signed(&log.answer(&question, at(now)), &signer(1));
    reception.take(&question, &exchange(500_000, 500_020), &answer)
}

fn dates(delivery: &Delivery) -> Vec<Monotonic> {
    delivery.observations.iter().map(|o| o.at).collect()
}

#[test]
fn an_age_is_counted_from_the_question() {
    let mut reception = reception();
    let delivery = pull(&mut reception, &log(1, &[7_000, 9_500]), 10_000, 1).unwrap();
    assert_eq!(dates(&delivery), [at(497_000), at(499_500)]);
    // 520 ms before the answer came, which was at 1,000 s of the wall.
    assert_eq!(delivery.observations[1].wall, Timestamp::from_millis(999_480));
    assert_eq!(delivery.observations[1].vantage, name());
}

#[test]
fn only_what_is_new_is_had() {
    let mut reception = reception();
    let mut log = log(1, &[1_000, 2_000]);
    assert_eq!(pull(&mut reception, &log, 2_500, 1).unwrap().observations.len(), 2);
    assert_eq!(pull(&mut reception, &log, 2_600, 2).unwrap(), Delivery::default());
    log.push(seen(at(3_000), "answered 200 OK"));
    assert_eq!(pull(&mut reception, &log, 3_000, 3).unwrap().observations.len(), 1);
    assert_eq!(reception.cursor(), Some(Cursor { boot: BootId::from_bits(1), seq: 3 }));
}

#[test]
fn looks_that_end_together_are_had_in_whichever_order_they_arrive() {
    let mut reception = reception();
    let delivery = pull(&mut reception, &log(1, &[1_001, 1_000, 1_002]), 2_000, 1).unwrap();
    assert_eq!(dates(&delivery), [at(499_001), at(499_001), at(499_002)]);
}

#[test]
fn a_new_life_begins_at_one_and_a_former_one_does_not_come_back() {
    let mut reception = reception();
    assert_eq!(pull(&mut reception, &log(1, &[1_000, 2_000, 3_000]), 3_000, 1).unwrap().observations.len(), 3);
    // Its clock begins anew as well.
    assert_eq!(pull(&mut reception, &log(2, &[10]), 20, 2).unwrap().observations.len(), 1);
    assert_eq!(pull(&mut reception, &log(1, &[1_000, 2_000, 3_000, 4_000]), 4_000, 3), Err(Refusal::FormerBoot));
    assert_eq!(pull(&mut reception, &log(2, &[10, 20]), 20, 4).unwrap().observations.len(), 1);
}

#[test]
fn every_kind_of_lie_has_its_name() {
    let question = Question { nonce: Nonce::from_bits(1), after: None };
    let honest = || log(1, &[1_000, 2_000]).answer(&question, at(2_500));
    let refused = |statement: &Statement| {
        let mut reception = reception();
        let refusal = reception.take(&question, &exchange(9_000, 9_020), &signed(statement, &signer(1))).unwrap_err();
        assert_eq!(reception.cursor(), None, "nothing is kept of it");
        refusal
    };
    assert_eq!(refused(&Statement { nonce: Nonce::from_bits(2), ..honest() }), Refusal::Replayed);
    let other: VantageId = "observer-us-east-1".parse().unwrap();
    assert_eq!(refused(&Statement { observer: other.clone(), ..honest() }), Refusal::AnotherObserver { named: other });
    assert_eq!(refused(&Statement { now: at(1_500), ..honest() }), Refusal::FromTheFuture { seq: 2 });
    assert_eq!(refused(&Statement { newest: 1, ..honest() }), Refusal::OutOfSequence { seq: 2 });
    let mut twice = honest();
    twice.readings[1].seq = 1;
    assert_eq!(refused(&twice), Refusal::OutOfSequence { seq: 1 });
    let mut backwards = honest();
    backwards.readings[1].at = at(900);
    assert_eq!(refused(&backwards), Refusal::ClockWentBack);
}

#[test]
fn a_signature_that_is_not_the_observer_s_is_refused() {
    let question = Question { nonce: Nonce::from_bits(1), after: None };
    let honest = log(1, &[1_000]).answer(&question, at(2_500));
    let refused = |answer: &[u8]| reception().take(&question, &exchange(9_000, 9_020), answer).unwrap_err();
    let named = "its-key".to_owned();
    assert_eq!(refused(&signed(&honest, &signer(2))), Refusal::NotTrusted { named: named.clone() });
    let mut altered: SignedStatement = serde_json::from_slice(&signed(&honest, &signer(1))).unwrap();
    altered.statement = altered.statement.replace("healthy", "unhealthy");
    assert_eq!(refused(&serde_json::to_vec(&altered).unwrap()), Refusal::NotTrusted { named });
    altered.signature = None;
    assert_eq!(refused(&serde_json::to_vec(&altered).unwrap()), Refusal::Unsigned);
    assert_eq!(refused(&vec![b' '; MAX_ANSWER + 1]), Refusal::TooBig { limit: MAX_ANSWER });
    assert!(matches!(refused(b"<html>"), Refusal::Malformed { .. }));
}

#[test]
fn a_clock_that_goes_back_within_a_life_is_refused() {
    let mut reception = reception();
    let log = log(1, &[1_000]);
    pull(&mut reception, &log, 5_000, 1).unwrap();
    assert_eq!(pull(&mut reception, &log, 4_999, 2), Err(Refusal::ClockWentBack));
}

#[test]
fn what_was_seen_before_this_clock_began_is_left_out() {
    let mut reception = reception();
    let question = reception.question(Nonce::from_bits(1));
    let answer = signed(&log(1, &[1_000, 99_000]).answer(&question, at(100_000)), &signer(1));
    let delivery = reception.take(&question, &exchange(2_000, 2_010), &answer).unwrap();
    assert_eq!(dates(&delivery), [at(1_000)]);
    assert_eq!(reception.cursor().unwrap().seq, 2);
}

#[test]
fn a_log_keeps_the_latest_and_answers_in_pages() {
    let mut log = ReadingLog::new(name(), BootId::from_bits(1), 5_000);
    (1..=6_000).for_each(|millis| log.push(seen(at(millis), "answered 503 Service Unavailable, expected 200")));
    log.push(seen(at(6_001), &"x".repeat(100_000)));
    let mut reception = reception();
    let (mut had, mut nonce) = (Vec::new(), 0);
    loop {
        nonce += 1;
        let question = reception.question(Nonce::from_bits(nonce));
        let answer = signed(&log.answer(&question, at(6_001)), &signer(1));
        assert!(answer.len() <= MAX_ANSWER, "{}", answer.len());
        let delivery = reception.take(&question, &exchange(10_000, 10_010), &answer).unwrap();
        had.extend(delivery.observations);
        if !delivery.more {
            break;
        }
    }
    assert!(nonce > 1, "it took one page");
    assert_eq!(had.len(), 5_000);
    let last = had[4_999].outcome.to_string();
    assert!(last.starts_with("observer impaired: a reading of 1002"), "{last}");
}

proptest! {
    /// However far the clocks are apart and however slow the way is, a reading is dated no later than it was made, and
    /// at most a round trip earlier; and readings keep their order.
    #[test]
    fn a_date_is_late_by_nothing_and_early_by_a_round_trip(
        ahead in 0_u64..10_000_000,
        pulls in prop::collection::vec((0_u64..2_000, 0_u64..2_000, prop::collection::vec(1_u64..3_000, 0..4)), 1..12),
    ) {
        // All moments below are the receiver's; the observer's clock is `ahead` of it.
        let mut log = ReadingLog::new(name(), BootId::from_bits(1), 1_000);
        let mut reception = reception();
        let (mut now, mut made, mut slowest, mut dated) = (100_000_u64, Vec::new(), 0, Vec::new());
        for (nonce, (there, back, looks)) in (1..).zip(&pulls) {
            for gap in looks {
                now += gap;
                made.push(now);
                log.push(seen(at(now + ahead), "fine"));
            }
            let question = reception.question(Nonce::from_bits(nonce));
            let asked = now;
            now += there;
            let answer = signed(&log.answer(&question, at(now + ahead)), &signer(1));
            now += back;
            slowest = slowest.max(there + back);
            let delivery = reception.take(&question, &exchange(asked, now), &answer).unwrap();
            dated.extend(dates(&delivery));
        }
        prop_assert_eq!(dated.len(), made.len());
        prop_assert!(dated.is_sorted());
        for (made, dated) in made.iter().zip(&dated) {
            prop_assert!(*dated <= at(*made), "{dated:?} is after {made}");
            prop_assert!(*dated + Duration::from_millis(slowest) >= at(*made), "{dated:?} is long before {made}");
        }
    }

    #[test]
    fn any_bytes_are_refused_or_believed(answer in prop::collection::vec(any::<u8>(), 0..300)) {
        let question = Question { nonce: Nonce::from_bits(1), after: None };
        prop_assert!(reception().take(&question, &exchange(0, 0), &answer).is_err());
    }
}

/// An observer whose clock is hours ahead, and the ways in which a way to it can be bad.
#[derive(Debug)]
struct Elsewhere {
    log: Mutex<ReadingLog>,
    way: Mutex<Way>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    Good,
    Cut,
    Silent,
    AnotherKey,
}

#[async_trait]
impl ObserverTransport for Elsewhere {
    async fn ask(&self, cx: &ProbeCx, question: &Question) -> Result<Vec<u8>> {
        let way = *self.way.lock().unwrap();
        let now = cx.clock().monotonic() + Duration::from_secs(7_200);
        let statement = self.log.lock().unwrap().answer(question, now);
        match way {
            Way::Good => Ok(signed(&statement, &signer(1))),
            Way::AnotherKey => Ok(signed(&statement, &signer(2))),
            Way::Cut => Err(Error::new(ErrorKind::Unavailable, "connection refused")),
            Way::Silent => std::future::pending().await,
        }
    }
}

/// Lets everybody do what they can at each moment, and moves the clock on to `until`.
async fn pass(clock: &ManualClock, until: Monotonic) {
    loop {
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        match clock.next_deadline() {
            Some(next) if next <= until => {
                clock.advance_to_next();
            }
            _ => return clock.advance(until.since(clock.monotonic())),
        }
    }
}

#[tokio::test]
async fn an_observer_that_is_silent_or_not_believed_has_no_opinion_and_says_why() {
    let clock = ManualClock::new();
    clock.advance(Duration::from_secs(100));
    let elsewhere = Arc::new(Elsewhere { log: Mutex::new(log(1, &[7_299_000])), way: Mutex::new(Way::Good) });
    let verifier = Ed25519Verifier::new().trust("its-key", signer(1).public_key());
    let transport: Arc<dyn ObserverTransport> = elsewhere.clone();
    let other = Subject::infrastructure("unknown".parse().unwrap(), "us-east-1".parse().unwrap());
    elsewhere.log.lock().unwrap().push(Observation { subject: other, ..seen(at(7_299_100), "nobody asked") });
    let observer =
        RemoteObserver::new(Arc::new(clock.clone()), name(), transport, Arc::new(verifier)).subject(subject());
    let (out, mut heard) = mpsc::channel(100);
    let stop = CancellationToken::new();
    let running = tokio::spawn(observer.run(out, stop.clone()));
    let mut told = Vec::new();
    let mut until = 100_500;
    for (way, lasting) in [
        (Way::Good, 1_000),
        (Way::Cut, 2_000),
        (Way::Good, 2_000),
        (Way::Cut, 6_000),
        (Way::AnotherKey, 3_000),
        (Way::Silent, 20_000),
        (Way::Good, 2_000),
    ] {
        *elsewhere.way.lock().unwrap() = way;
        elsewhere.log.lock().unwrap().push(seen(at(7_200_000 + until - 500), "answered 200 OK"));
        until += lasting;
        pass(&clock, at(until)).await;
        while let Ok(o) = heard.try_recv() {
            told.push(format!("{way:?} {}", o.outcome));
        }
    }
    assert_eq!(
        told,
        [
            "Good answered 200 OK",
            "Good answered 200 OK",
            // Two questions without an answer are no news, and nothing is lost by them.
            "Good answered 200 OK",
            "Good answered 200 OK",
            "Cut observer impaired: it cannot be reached: connection refused",
            "AnotherKey observer impaired: its answer was refused: it is not signed by this observer's key; it names the key \"its-key\"",
            "Silent observer impaired: it cannot be reached: no answer within 4 s",
            "Good answered 200 OK",
            "Good answered 200 OK",
            "Good answered 200 OK",
            "Good answered 200 OK",
        ]
    );
    stop.cancel();
    running.await.unwrap();
}
