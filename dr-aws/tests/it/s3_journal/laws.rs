//! The laws that every journal keeps.

use std::{sync::Arc, time::Duration};

use dr_aws::s3_journal::S3Journal;
use dr_core::{
    error::{ErrorKind, Retry},
    journal::{Journal, Seq, conformance},
    model::RunId,
};

use super::{machine, note, numbers, owner, patiently, with_bucket};
use crate::stage::Stage;

#[tokio::test]
async fn the_journal_in_s3_keeps_the_laws() {
    let stage = with_bucket(Stage::in_process());
    let clock = stage.clock.clone();
    let laws = conformance::check(&clock, || async { Ok(Arc::new(machine(&stage)) as Arc<dyn Journal>) });
    patiently(&stage.clock, laws).await;
}

#[tokio::test]
async fn a_store_that_heeds_no_conditions_is_refused_before_it_is_trusted() {
    let stage = with_bucket(Stage::over_http().await);
    stage.world.s3().ignore_conditions(true);
    let ttl = Duration::from_secs(30);
    let run = RunId::new("shop/failover-1").unwrap();
    let journal = machine(&stage);
    for _ in 0..2 {
        let refused = journal.acquire(&run, &owner("a"), ttl).await.unwrap_err();
        assert_eq!((refused.kind(), refused.retry()), (ErrorKind::Unsupported, Retry::Never), "{refused}");
        assert!(refused.message().contains("bucket journal ignores If-None-Match"), "{refused}");
    }
    assert!(!stage.world.s3().keys("journal").iter().any(|key| key.contains("/log/")), "nothing was claimed");
    // The same handle, once the store has learned it.
    stage.world.s3().ignore_conditions(false);
    let lease = journal.acquire(&run, &owner("a"), ttl).await.unwrap();
    assert_eq!(lease.epoch.0, 3);
    journal.append(&lease, Seq(0), vec![note(1)]).await.unwrap();
}

#[tokio::test]
async fn journals_share_a_bucket_under_prefixes_of_their_own() {
    use futures::TryStreamExt as _;
    let stage = with_bucket(Stage::over_http().await);
    let journal = |prefix: &str| S3Journal::new(&stage.west(), "journal", prefix, Arc::new(stage.clock.clone()));
    // A prefix that begins like another, one inside another, and none.
    let journals = ["", "dr", "dr/runs", "dr-2"].map(journal);
    let run = RunId::new("shop/failover-1").unwrap();
    for (n, journal) in (1..).zip(&journals) {
        assert!(journal.runs().await.unwrap().is_empty());
        let lease = journal.acquire(&run, &owner("a"), Duration::from_secs(30)).await.unwrap();
        assert_eq!(lease.epoch.0, 1);
        journal.append(&lease, Seq(0), vec![note(n)]).await.unwrap();
    }
    for (n, journal) in (1..).zip(&journals) {
        let records: Vec<_> = journal.read(&run, Seq(0)).try_collect().await.unwrap();
        assert_eq!(numbers(&records), [n]);
        assert_eq!(journal.runs().await.unwrap(), std::slice::from_ref(&run));
    }
}
