use std::sync::Arc;

use dr_aws::s3_journal::S3Journal;
use dr_core::journal::{Journal, conformance};

use super::server::Moto;
use crate::{s3_journal::patiently, stage::west};

#[tokio::test]
async fn the_journal_keeps_the_laws_in_a_bucket_of_moto() {
    let Some(moto) = Moto::start() else { return };
    moto.with_bucket("journal").await;
    let clock = conformance::clock();
    let open = || async {
        let journal = S3Journal::new(&moto.clients.for_writes(&west()), "journal", "dr", Arc::new(clock.clone()));
        Ok(Arc::new(journal) as Arc<dyn Journal>)
    };
    patiently(&clock, conformance::check(&clock, open)).await;
}
