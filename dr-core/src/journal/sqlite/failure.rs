//! What the journal says when its file fails.

use crate::error::{Effect, Error, ErrorKind, Retry};

pub(super) fn gone() -> Error {
    Error::new(ErrorKind::Storage, "the journal's thread has ended")
}

pub(super) fn failed(what: &'static str, error: rusqlite::Error) -> Error {
    let busy = matches!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked)
    );
    let corrupt = error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseCorrupt);
    let kind = if corrupt { ErrorKind::Corrupt } else { ErrorKind::Storage };
    Error::new(kind, format!("the journal's file failed: {error}"))
        .during(format!("sqlite:{what}"))
        .with_retry(if busy { Retry::Backoff } else { Retry::Never })
        .with_source(error)
}

pub(super) fn refused(why: String) -> Error {
    Error::new(ErrorKind::Storage, format!("the journal's file {why}")).with_effect(Effect::NotApplied)
}
