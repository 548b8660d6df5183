//! The laws that every journal keeps.

use std::sync::Arc;

use dr_aws::s3_journal::S3Journal;
use dr_core::journal::{Journal, conformance};

use super::{machine, patiently, with_bucket};
use crate::stage::Stage;

#[tokio::test]
async fn the_journal_in_s3_keeps_the_laws() {
    let stage = with_bucket(Stage::in_process());
    let clock = stage.clock.clone();
    let laws = conformance::check(&clock, || async { Ok(Arc::new(machine(&stage)) as Arc<dyn Journal>) });
    patiently(&stage, laws).await;
}

#[tokio::test]
async fn two_journals_share_a_bucket_under_prefixes_of_their_own() {
    let stage = with_bucket(Stage::in_process());
    let clock = stage.clock.clone();
    for prefix in ["", "a", "a/b"] {
        let open = || async {
            Ok(Arc::new(S3Journal::new(&stage.west(), "journal", prefix, Arc::new(stage.clock.clone())))
                as Arc<dyn Journal>)
        };
        patiently(&stage, conformance::check(&clock, open)).await;
    }
}
