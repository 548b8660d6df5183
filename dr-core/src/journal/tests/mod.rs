//! The laws, and what is SQLite's own.

#[cfg(feature = "ed25519")]
mod checkpoints;
#[cfg(feature = "sqlite")]
mod sqlite;
mod tampering;
mod wire;

use std::sync::Arc;

use super::*;

#[tokio::test]
async fn the_journal_in_memory_keeps_the_laws() {
    let clock = conformance::clock();
    let store = MemoryJournal::new(Arc::new(clock.clone()));
    conformance::check(&clock, || async { Ok(Arc::new(store.clone()) as Arc<dyn Journal>) }).await;
}
