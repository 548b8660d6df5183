//! Checkpoints and who signed them.

use std::sync::Arc;

use super::*;
use crate::{
    error::ErrorKind,
    model::{OwnerId, RunId},
    time::ManualClock,
};

fn signer(name: &str, seed: u8) -> Ed25519Signer {
    Ed25519Signer::from_seed(name, &[seed; 32]).unwrap()
}

async fn signed(signer: &dyn Signer) -> SignedCheckpoint {
    let clock = ManualClock::new();
    let journal = MemoryJournal::new(Arc::new(clock.clone()));
    let run = RunId::new("run-1").unwrap();
    let lease = journal.acquire(&run, &OwnerId::new("a").unwrap(), std::time::Duration::from_secs(9)).await.unwrap();
    let notes = (0..3).map(|n| Entry::Note { topic: "n".to_owned(), value: n.into() }).collect();
    journal.append(&lease, Seq(0), notes).await.unwrap();
    checkpoint(&journal, &run, signer, &clock).await.unwrap()
}

#[tokio::test]
async fn a_signed_checkpoint_opens_for_whoever_trusts_the_key() {
    let key = signer("runner", 7);
    let kept = serde_json::to_string(&signed(&key).await).unwrap();
    let read: SignedCheckpoint = serde_json::from_str(&kept).unwrap();
    let trusting = Ed25519Verifier::new().trust("runner", key.public_key());
    let opened = read.open(&trusting).unwrap();
    assert_eq!((opened.run.as_str(), opened.count), ("run-1", 3));
    for distrusting in [
        Ed25519Verifier::new(),
        Ed25519Verifier::new().trust("other", key.public_key()),
        Ed25519Verifier::new().trust("runner", signer("runner", 8).public_key()),
        Ed25519Verifier::new().trust("runner", b"no key"),
    ] {
        let refused = read.open(&distrusting).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::PermissionDenied);
        assert!(refused.message().contains("\"runner\""), "{refused}");
    }
}

#[tokio::test]
async fn a_checkpoint_that_was_changed_opens_for_nobody() {
    let key = signer("runner", 7);
    let kept = serde_json::to_string(&signed(&key).await).unwrap();
    let trusting = Ed25519Verifier::new().trust("runner", key.public_key()).trust("runner-2", key.public_key());
    for (from, to) in [
        ("\"count\":3", "\"count\":2"),
        ("run-1", "run-2"),
        ("\"head\":\"", "\"head\":\"0"),
        ("\"at\":\"1970", "\"at\":\"1971"),
        ("\"key\":\"runner\"", "\"key\":\"runner-2\""),
        ("\"signature\":\"", "\"signature\":\"00"),
    ] {
        let changed = kept.replacen(from, to, 1);
        assert_ne!(changed, kept, "{from}");
        // Either it is no checkpoint any more, or nobody signed it.
        if let Ok(read) = serde_json::from_str::<SignedCheckpoint>(&changed) {
            assert!(read.open(&trusting).is_err(), "{to}");
        }
    }
}

#[test]
fn a_key_stays_secret() {
    let seed = *b"a seed that nobody may ever see.";
    let signer = Ed25519Signer::from_seed("runner", &seed).unwrap();
    let told = format!("{signer:?}");
    assert_eq!(told, "Ed25519Signer { name: \"runner\", .. }");
    let refused = Ed25519Signer::from_seed("runner", b"too short a secret").unwrap_err();
    assert!(!format!("{refused:?}").contains("too short"), "{refused:?}");
    let refused = Ed25519Signer::from_pkcs8("runner", b"not a key at all").unwrap_err();
    assert!(!format!("{refused:?}").contains("at all"), "{refused:?}");
}
