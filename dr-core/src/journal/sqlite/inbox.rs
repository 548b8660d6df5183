//! The inbox in the file: requests to runs, in the order in which they came.

use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::{
    failure::failed,
    rows::{number, unsigned},
};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{
        Request, RequestId, Submitted,
        refusal::{again, no_run},
    },
    model::RunId,
};

/// The table that version 2 of the file added.
pub(super) const TABLE: &str = "
CREATE TABLE requests (
    run     TEXT    NOT NULL,
    id      INTEGER NOT NULL,
    token   TEXT    NOT NULL,
    request TEXT    NOT NULL,
    PRIMARY KEY (run, id),
    UNIQUE (run, token)
) WITHOUT ROWID;
";

fn decode(run: &RunId, id: u64, text: &str) -> Result<Submitted> {
    let request = serde_json::from_str(text).map_err(|e| {
        Error::new(ErrorKind::Corrupt, format!("request {id} of run {run} cannot be read: {e}"))
            .with_effect(Effect::NotApplied)
    })?;
    Ok(Submitted { id: RequestId(id), request })
}

/// Puts a request at the end of the run's inbox, unless it is there.
pub(super) fn submit(transaction: &Transaction<'_>, run: &RunId, request: &Request) -> Result<RequestId> {
    let read = |e| failed("submit", e).with_effect(Effect::NotApplied);
    let known = transaction
        .query_row("SELECT 1 FROM runs WHERE run = ?1", [run.as_str()], |_| Ok(()))
        .optional()
        .map_err(read)?;
    if known.is_none() {
        return Err(no_run(run));
    }
    let earlier = transaction
        .query_row(
            "SELECT id, request FROM requests WHERE run = ?1 AND token = ?2",
            [run.as_str(), request.token.as_str()],
            |row| Ok((unsigned(row, 0)?, row.get::<_, String>(1)?)),
        )
        .optional()
        .map_err(read)?
        .map(|(id, text)| decode(run, id, &text))
        .transpose()?;
    if let Some(id) = again(run, earlier.as_ref(), request)? {
        return Ok(id);
    }
    let last = transaction
        .query_row("SELECT max(id) FROM requests WHERE run = ?1", [run.as_str()], |row| row.get::<_, Option<i64>>(0))
        .map_err(read)?;
    let id = RequestId(last.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)).next();
    let text = serde_json::to_string(request).map_err(|e| {
        Error::new(ErrorKind::Invalid, format!("the request cannot be written: {e}")).with_effect(Effect::NotApplied)
    })?;
    transaction
        .execute(
            "INSERT INTO requests (run, id, token, request) VALUES (?1, ?2, ?3, ?4)",
            params![run.as_str(), number(id.0), request.token.as_str(), text],
        )
        .map_err(|e| failed("submit", e))?;
    Ok(id)
}

/// The requests after `after`, in order.
pub(super) fn requests(connection: &Connection, run: &RunId, after: RequestId) -> Result<Vec<Submitted>> {
    let read = |e| failed("requests", e).with_effect(Effect::NotApplied);
    let mut statement =
        connection.prepare("SELECT id, request FROM requests WHERE run = ?1 AND id > ?2 ORDER BY id").map_err(read)?;
    let rows = statement
        .query_map(params![run.as_str(), number(after.0)], |row| Ok((unsigned(row, 0)?, row.get::<_, String>(1)?)))
        .map_err(read)?;
    rows.map(|row| {
        let (id, text) = row.map_err(read)?;
        decode(run, id, &text)
    })
    .collect()
}
