//! Rows of the tables, and what they say.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::failure::failed;
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Digest, Lease, Record, Seq, refusal::fenced},
    model::{Epoch, RunId},
};

/// Records fetched at a time.
pub(super) const PAGE: u32 = 500;

/// A number as SQLite keeps it; the journal's numbers never reach the sign.
pub(super) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0))
}

/// Checks that the lease is still the run's.
pub(super) fn check(transaction: &Transaction<'_>, lease: &Lease) -> Result<()> {
    let row = transaction
        .query_row("SELECT epoch, owner FROM leases WHERE run = ?1", [lease.run.as_str()], |row| {
            Ok((unsigned(row, 0)?, row.get::<_, Option<String>>(1)?))
        })
        .optional()
        .map_err(|e| failed("read lease", e).with_effect(Effect::NotApplied))?;
    match row {
        Some((epoch, Some(owner))) if Epoch(epoch) == lease.epoch && owner == lease.owner.as_str() => Ok(()),
        _ => Err(fenced(lease)),
    }
}

/// The place and the digest of the run's last record.
pub(super) fn last(transaction: &Transaction<'_>, run: &RunId) -> Result<(Seq, Digest)> {
    let row = transaction
        .query_row("SELECT seq, digest FROM records WHERE run = ?1 ORDER BY seq DESC LIMIT 1", [run.as_str()], |row| {
            Ok((Seq(unsigned(row, 0)?), row.get(1).map(Digest::from_bytes)?))
        })
        .optional()
        .map_err(|e| failed("read end", e).with_effect(Effect::NotApplied))?;
    Ok(row.unwrap_or((Seq(0), Digest::START)))
}

/// A row of `records`, decoded.
pub(super) fn decode(run: &RunId, row: &Row<'_>) -> Result<Record> {
    let read = |e| failed("read", e).with_effect(Effect::NotApplied);
    let seq = unsigned(row, 0).map_err(read)?;
    let digest = row.get(2).map(Digest::from_bytes).map_err(read)?;
    let text = row.get_ref(1).map_err(read)?.as_str().map_err(|_| {
        let message = format!("record {seq} of run {run} cannot be read: it is not text");
        Error::new(ErrorKind::Storage, message).with_effect(Effect::NotApplied)
    })?;
    Record::read(text, digest).map_err(|e| {
        let message = format!("record {seq} of run {run} cannot be read: {}", e.message());
        Error::new(e.kind(), message).with_effect(Effect::NotApplied).with_source(e)
    })
}

/// The records after `after`, at most a page of them; what cannot be read ends them.
pub(super) fn page(connection: &Connection, run: &RunId, after: Seq) -> Result<Vec<Result<Record>>> {
    let read = |e| failed("read", e).with_effect(Effect::NotApplied);
    let mut statement = connection
        .prepare("SELECT seq, record, digest FROM records WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
        .map_err(read)?;
    let mut rows = statement.query(params![run.as_str(), number(after.0), PAGE]).map_err(read)?;
    let mut records = Vec::new();
    while let Some(row) = rows.next().map_err(read)? {
        let record = decode(run, row);
        let failed = record.is_err();
        records.push(record);
        if failed {
            break;
        }
    }
    Ok(records)
}

/// The runs that a query names.
pub(super) fn names(connection: &Connection, query: &str) -> Result<Vec<RunId>> {
    let read = |e| failed("runs", e).with_effect(Effect::NotApplied);
    let mut statement = connection.prepare(query).map_err(read)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(read)?;
    rows.map(|run| {
        RunId::new(run.map_err(read)?).map_err(|e| {
            Error::new(ErrorKind::Storage, format!("the journal names a run badly: {e}"))
                .with_effect(Effect::NotApplied)
        })
    })
    .collect()
}
