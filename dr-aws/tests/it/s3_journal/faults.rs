//! Replies that are lost, requests that come late, reads of the past, a store that is down.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use dr_aws::s3_journal::S3Journal;
use dr_core::{
    error::{Effect, ErrorKind, Result},
    journal::{
        Journal, Request, RequestId, Seq, audit,
        conformance::{self, FaultyStore},
        verify,
    },
    model::RequestToken,
    testing::{Fault, FaultRule},
    time::Clock as _,
};

use super::{all, machine, note, numbers, owner, patiently, run, with_bucket};
use crate::stage::Stage;

const TTL: Duration = Duration::from_secs(30);

/// A stage whose bucket is older than any read of the past.
fn stage() -> Stage {
    let stage = with_bucket(Stage::in_process());
    stage.clock.advance(Duration::from_secs(86_400));
    stage
}

fn request(stage: &Stage) -> Request {
    Request {
        token: RequestToken::new("t-1").unwrap(),
        control: serde_json::json!({ "control": "pause" }),
        at: stage.clock.wall(),
        by: owner("asker"),
    }
}

/// A run from its lease to its release.
async fn story(stage: &Stage, journal: &S3Journal) -> Result<()> {
    let lease = journal.acquire(&run(), &owner("a"), TTL).await?;
    journal.append(&lease, Seq(0), vec![note(1), note(2)]).await?;
    let lease = journal.renew(&lease, TTL).await?;
    journal.append(&lease, Seq(2), vec![note(3)]).await?;
    assert_eq!(journal.submit(&run(), request(stage)).await?, RequestId(1));
    assert_eq!(journal.submit(&run(), request(stage)).await?, RequestId(1), "asked again");
    journal.append(&lease, Seq(3), vec![note(4)]).await?;
    journal.release(lease).await
}

/// Checks that the story was written once, and is what another machine reads.
async fn is_told(stage: &Stage, told: &str) {
    let other = machine(stage);
    let records = all(&other).await;
    assert_eq!(numbers(&records), [1, 2, 3, 4], "{told}");
    verify(&records).unwrap();
    assert_eq!(other.requests(&run(), RequestId(0)).await.unwrap().len(), 1, "{told}");
    assert_eq!(other.open_runs().await.unwrap(), [run()], "{told}");
    let lease = other.acquire(&run(), &owner("b"), TTL).await.unwrap();
    assert_eq!(lease.epoch.0, 2, "{told}");
}

#[tokio::test]
async fn a_fault_at_any_call_changes_nothing_of_the_story() {
    let late = Fault::late_apply(Duration::from_secs(5));
    for fault in [Fault::ReplyLost, late, Fault::Throttle, Fault::ServerError, Fault::Refuse] {
        for operation in ["s3:PutObject", "s3:GetObject", "s3:ListObjectsV2"] {
            for call in 0..12 {
                let told = format!("{fault:?} at call {call} of {operation}");
                let stage = stage();
                let rule = stage.world.faults().add(FaultRule::new(fault).on(operation).after(call).times(1));
                let done = patiently(&stage.clock, story(&stage, &machine(&stage))).await;
                done.unwrap_or_else(|error| panic!("{told}: {error}"));
                let hit = !stage.world.faults().remove(rule);
                patiently(&stage.clock, is_told(&stage, &told)).await;
                // Whatever hung in the network arrives at last.
                for _ in 0..10 {
                    stage.clock.advance(Duration::from_secs(1));
                    tokio::task::yield_now().await;
                }
                assert_eq!(numbers(&all(&machine(&stage)).await), [1, 2, 3, 4], "{told}");
                if !hit {
                    break;
                }
            }
        }
    }
}

#[tokio::test]
async fn the_laws_hold_although_every_few_calls_go_wrong() {
    for fault in [Fault::ReplyLost, Fault::late_apply(Duration::from_millis(50)), Fault::Throttle] {
        let stage = stage();
        for call in (3..3_000).step_by(7) {
            stage.world.faults().add(FaultRule::new(fault).on("s3:*").after(call).times(1));
        }
        let clock = stage.clock.clone();
        let laws = conformance::check(&clock, || async { Ok(Arc::new(machine(&stage)) as Arc<dyn Journal>) });
        patiently(&stage.clock, laws).await;
    }
}

#[tokio::test]
async fn a_conflict_under_way_is_tried_again() {
    let stage = stage();
    stage.world.s3().conflict_next(3);
    patiently(&stage.clock, story(&stage, &machine(&stage))).await.unwrap();
    is_told(&stage, "409").await;
    // One that does not go away is no endless wait.
    stage.world.s3().conflict_next(1_000);
    let late = machine(&stage);
    let error = patiently(&stage.clock, late.acquire(&run(), &owner("b"), TTL)).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Storage, Effect::NotApplied));
    assert!(error.message().contains("ConditionalRequestConflict"), "{error}");
}

#[tokio::test]
async fn a_store_that_cannot_be_read_is_no_damaged_journal() {
    let stage = stage();
    let journal = machine(&stage);
    patiently(&stage.clock, story(&stage, &journal)).await.unwrap();
    let throttle = stage.world.faults().add(FaultRule::new(Fault::Throttle).on("s3:*"));
    let error = patiently(&stage.clock, audit(&machine(&stage), &run())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage, "{error}");
    stage.world.faults().remove(throttle);
    assert_eq!(audit(&machine(&stage), &run()).await.unwrap().records, 4);
}

#[tokio::test]
async fn a_late_append_of_a_stale_engine_lands_nowhere() {
    let stage = stage();
    let (first, second) = (machine(&stage), machine(&stage));
    let stale = first.acquire(&run(), &owner("a"), TTL).await.unwrap();
    first.append(&stale, Seq(0), vec![note(1)]).await.unwrap();
    // All that the first machine sends from now on hangs in the network for longer than its lease lasts.
    let hang = FaultRule::new(Fault::late_apply(TTL * 3)).on("s3:PutObject").times(5);
    let hang = stage.world.faults().add(hang);
    let error = patiently_for(&stage, TTL, first.append(&stale, Seq(1), vec![note(9)])).await.unwrap_err();
    // The way of the second machine is another one.
    stage.world.faults().remove(hang);
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Storage, Effect::Indefinite));
    stage.clock.advance(TTL);
    let lease = second.acquire(&run(), &owner("b"), TTL).await.unwrap();
    second.append(&lease, Seq(1), vec![note(2)]).await.unwrap();
    let before = stage.world.s3().keys("journal");
    for _ in 0..30 {
        stage.clock.advance(Duration::from_secs(10));
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(stage.world.s3().keys("journal"), before, "nothing of it landed");
    assert_eq!(numbers(&all(&second).await), [1, 2]);
    assert_eq!(first.append(&stale, Seq(1), vec![note(9)]).await.unwrap_err().kind(), ErrorKind::Fenced);
}

#[tokio::test]
async fn a_late_append_that_lands_before_the_claim_is_part_of_the_story() {
    let stage = stage();
    let (first, second) = (machine(&stage), machine(&stage));
    let old = first.acquire(&run(), &owner("a"), TTL).await.unwrap();
    first.append(&old, Seq(0), vec![note(1)]).await.unwrap();
    let late = stage.world.faults().add(FaultRule::new(Fault::late_apply(TTL)).on("s3:PutObject").times(5));
    patiently_for(&stage, TTL / 2, first.append(&old, Seq(1), vec![note(2)])).await.unwrap_err();
    stage.world.faults().remove(late);
    for _ in 0..5 {
        stage.clock.advance(TTL);
        for _ in 0..50 {
            tokio::task::yield_now().await;
        }
    }
    let lease = second.acquire(&run(), &owner("b"), TTL).await.unwrap();
    let records = all(&second).await;
    assert_eq!(numbers(&records), [1, 2], "it was written while its writer held the run, and once");
    second.append(&lease, Seq(2), vec![note(3)]).await.unwrap();
    audit(&second, &run()).await.unwrap();
}

#[tokio::test]
async fn an_engine_that_reads_the_past_writes_nothing_into_the_present() {
    let stage = stage();
    let (first, second) = (machine(&stage), machine(&stage));
    let stale = first.acquire(&run(), &owner("a"), TTL).await.unwrap();
    first.append(&stale, Seq(0), vec![note(1)]).await.unwrap();
    stage.clock.advance(TTL * 2);
    let lease = second.acquire(&run(), &owner("b"), TTL).await.unwrap();
    second.append(&lease, Seq(1), vec![note(2)]).await.unwrap();
    // From here on every read shows what was before the second machine came, whoever reads.
    let past = FaultRule::new(Fault::stale_read(TTL)).on("s3:GetObject");
    let list = FaultRule::new(Fault::stale_read(TTL)).on("s3:ListObjectsV2");
    let rules = [past, list].map(|rule| stage.world.faults().add(rule));
    let error = patiently_for(&stage, TTL / 6, first.append(&stale, Seq(1), vec![note(9)])).await.unwrap_err();
    assert_ne!(error.effect(), Effect::Applied, "{error}");
    let third = machine(&stage);
    let blind = patiently_for(&stage, TTL / 6, third.append(&stale, Seq(1), vec![note(9)])).await;
    assert!(blind.is_err());
    for rule in rules {
        stage.world.faults().remove(rule);
    }
    assert_eq!(numbers(&all(&machine(&stage)).await), [1, 2]);
    second.append(&lease, Seq(2), vec![note(3)]).await.unwrap();
    assert_eq!(first.append(&stale, Seq(1), vec![note(9)]).await.unwrap_err().kind(), ErrorKind::Fenced);
}

/// As [`patiently`], but for a while of the stage's time at most, so that what hangs does not arrive meanwhile.
async fn patiently_for<T>(stage: &Stage, most: Duration, work: impl Future<Output = T>) -> T {
    let mut work = std::pin::pin!(work);
    let begun = stage.clock.monotonic();
    loop {
        for _ in 0..200 {
            if let std::task::Poll::Ready(done) = futures::poll!(&mut work) {
                return done;
            }
            tokio::task::yield_now().await;
        }
        if stage.clock.monotonic().since(begun) < most {
            stage.clock.advance(Duration::from_millis(100));
        }
    }
}

/// A bucket that the suite may break.
struct Breakable(Stage);

#[async_trait]
impl FaultyStore for Breakable {
    async fn open(&self) -> Result<Arc<dyn Journal>> {
        Ok(Arc::new(machine(&self.0)))
    }

    async fn set_full(&self, full: bool) -> bool {
        let faults = self.0.world.faults();
        faults.clear();
        if full {
            faults.add(FaultRule::new(Fault::ServerError).on("s3:PutObject"));
        }
        true
    }

    async fn corrupt(&self, text: &str) -> bool {
        let s3 = self.0.world.s3();
        for key in s3.keys("journal") {
            let mut body = s3.get("journal", &key).unwrap().to_vec();
            let Some(at) = body.windows(text.len()).position(|window| window == text.as_bytes()) else { continue };
            body[at + 2] ^= 1;
            return s3.put("journal", &key, body);
        }
        false
    }
}

#[tokio::test]
async fn a_bucket_that_fails_keeps_the_laws() {
    let store = Breakable(stage());
    let clock = store.0.clock.clone();
    let laws = patiently(&store.0.clock, conformance::check_faults(&clock, &store)).await;
    // An object is there or not: there is nothing to tear.
    assert_eq!(laws, ["full", "corrupt"]);
}

#[tokio::test]
async fn a_slot_that_was_taken_away_or_moved_is_noticed() {
    let stage = stage();
    let journal = machine(&stage);
    let lease = journal.acquire(&run(), &owner("a"), TTL).await.unwrap();
    for n in 0..4 {
        journal.append(&lease, Seq(n), vec![note(n)]).await.unwrap();
    }
    let s3 = stage.world.s3();
    let slot = |n: u64| format!("dr/runs/shop!failover-1/log/{n:020}");
    let (third, fourth) = (s3.get("journal", &slot(3)).unwrap(), s3.get("journal", &slot(4)).unwrap());
    s3.delete("journal", &slot(3));
    let error = patiently(&stage.clock, audit(&machine(&stage), &run())).await.unwrap_err();
    assert!(error.message().contains("slot 3 ") && error.message().contains("missing"), "{error}");
    s3.put("journal", &slot(3), fourth);
    let error = audit(&machine(&stage), &run()).await.unwrap_err();
    assert!(error.message().contains("slot 3 ") && error.message().contains("it is slot 4"), "{error}");
    s3.put("journal", &slot(3), third.slice(..third.len() - 40));
    let error = audit(&machine(&stage), &run()).await.unwrap_err();
    assert!(error.message().contains("slot 3 ") && error.message().contains("the line does not end"), "{error}");
}
