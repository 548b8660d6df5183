//! Texts that are no record of this version, and what is said of them.

use super::super::wire::decode;
use crate::error::{Effect, ErrorKind};

const RECORD: &str = r#"{"v":1,"run":"run-1","seq":1,"at":"2026-11-23T10:00:00Z","epoch":1,"entry":ENTRY}"#;

fn refused(text: &str) -> (ErrorKind, String) {
    let error = decode(text).map(|body| body.seq).unwrap_err();
    assert_eq!(error.effect(), Effect::NotApplied);
    (error.kind(), error.message().to_owned())
}

#[test]
fn what_is_not_understood_is_told_by_why_it_is_not() {
    let note = RECORD.replace("ENTRY", r#"{"note":{"topic":"a","value":1}}"#);
    assert!(decode(&note).is_ok());
    let unknown = RECORD.replace("ENTRY", r#"{"teleported":{}}"#);
    let (kind, why) = refused(&unknown);
    assert!(kind == ErrorKind::Unsupported && why.contains("does not know"), "{why}");
    // A newer program's record is told to be one, whether or not the rest of it is understood.
    for newer in [note.replace("\"v\":1", "\"v\":2"), unknown.replace("\"v\":1", "\"v\":2")] {
        let (kind, why) = refused(&newer);
        assert!(kind == ErrorKind::Unsupported && why.contains("it has version 2 of the journal's format"), "{why}");
    }
    let (kind, why) = refused(&note[..note.len() - 1]);
    assert!(kind == ErrorKind::Corrupt && why.contains("it stops being JSON at byte"), "{why}");
}
