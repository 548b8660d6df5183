//! Rows of the tables, and what they say.

use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params, types::ValueRef};

use super::failure::failed;
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Digest, Holding, Lease, Record, Seq, refusal::fenced},
    model::{Epoch, OwnerId, RunId},
    time::Timestamp,
};

/// Records fetched at a time. Between pages the reader and the thread that owns the file wait for each other.
const PAGE: u32 = 1_000;

/// A number as SQLite keeps it; the journal's numbers never reach the sign.
pub(super) fn number(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(|n| u64::try_from(n).unwrap_or(0))
}

/// What is kept of the run's lease.
pub(super) fn holding(transaction: &Transaction<'_>, run: &RunId) -> Result<Option<Holding>> {
    let read = |e| failed("read lease", e).with_effect(Effect::NotApplied);
    let row = transaction
        .query_row("SELECT owner, epoch, expires FROM leases WHERE run = ?1", [run.as_str()], |row| {
            Ok((row.get::<_, Option<String>>(0)?, unsigned(row, 1)?, row.get::<_, i64>(2)?))
        })
        .optional()
        .map_err(read)?;
    let Some((owner, epoch, expires)) = row else { return Ok(None) };
    let owner = owner.map(OwnerId::new).transpose().map_err(|e| {
        let message = format!("the lease of run {run} cannot be read: {e}");
        Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
    })?;
    Ok(Some(Holding { epoch: Epoch(epoch), owner, expires: Timestamp::from_millis(expires) }))
}

/// Checks that the lease is still the run's.
pub(super) fn check(transaction: &Transaction<'_>, lease: &Lease) -> Result<()> {
    let row = transaction
        .prepare_cached("SELECT epoch, owner FROM leases WHERE run = ?1")
        .and_then(|mut statement| {
            statement
                .query_row([lease.run.as_str()], |row| Ok((unsigned(row, 0)?, row.get::<_, Option<String>>(1)?)))
                .optional()
        })
        .map_err(|e| failed("read lease", e).with_effect(Effect::NotApplied))?;
    match row {
        Some((epoch, Some(owner))) if Epoch(epoch) == lease.epoch && owner == lease.owner.as_str() => Ok(()),
        _ => Err(fenced(lease)),
    }
}

/// The place and the digest of the run's last record.
pub(super) fn last(transaction: &Transaction<'_>, run: &RunId) -> Result<(Seq, Digest)> {
    let row = transaction
        .prepare_cached("SELECT seq, digest FROM records WHERE run = ?1 ORDER BY seq DESC LIMIT 1")
        .and_then(|mut statement| {
            statement
                .query_row([run.as_str()], |row| Ok((Seq(unsigned(row, 0)?), row.get(1).map(Digest::from_bytes)?)))
                .optional()
        })
        .map_err(|e| failed("read end", e).with_effect(Effect::NotApplied))?;
    Ok(row.unwrap_or((Seq(0), Digest::START)))
}

/// Rows of `records` as they are stored, one after the other in one piece of memory. They are decoded by whoever reads them:
/// what one thread allocates piece by piece and another frees costs more than all the rest of reading.
#[derive(Default)]
pub(super) struct Page {
    /// The stored bytes of all rows.
    bytes: Vec<u8>,
    rows: Vec<StoredRow>,
}

struct StoredRow {
    seq: u64,
    /// Where its bytes end.
    end: usize,
    digest: Digest,
}

impl Page {
    /// The place after which the next page begins; none when this was the last.
    pub(super) fn next(&self) -> Option<Seq> {
        let last = self.rows.last()?;
        (self.rows.len() >= PAGE as usize).then_some(Seq(last.seq))
    }

    /// The records, each decoded when it is asked for. What cannot be read ends them.
    pub(super) fn records(self, run: &RunId) -> impl Iterator<Item = Result<Record>> {
        let Self { bytes, rows } = self;
        let (mut begin, mut failed) = (0, false);
        rows.into_iter().map_while(move |row| {
            if failed {
                return None;
            }
            let text = bytes.get(begin..row.end).unwrap_or_default();
            begin = row.end;
            let record = decode(run, row.seq, text, row.digest);
            failed = record.is_err();
            Some(record)
        })
    }
}

fn decode(run: &RunId, seq: u64, text: &[u8], digest: Digest) -> Result<Record> {
    let unreadable = |kind, why: &str| {
        let message = format!("record {seq} of run {run} cannot be read: {why}");
        Error::new(kind, message).with_effect(Effect::NotApplied)
    };
    let text = str::from_utf8(text).map_err(|_| unreadable(ErrorKind::Corrupt, "it is not text"))?;
    Record::read(text, digest).map_err(|e| unreadable(e.kind(), e.message()).with_source(e))
}

/// The rows after `after`, at most a page of them.
pub(super) fn page(connection: &Connection, run: &RunId, after: Seq) -> Result<Page> {
    let read = |e| failed("read", e).with_effect(Effect::NotApplied);
    let damaged = |seq| {
        let message = format!("record {seq} of run {run} cannot be read: its row is not one of text and a digest");
        Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
    };
    let mut statement = connection
        .prepare_cached("SELECT seq, record, digest FROM records WHERE run = ?1 AND seq > ?2 ORDER BY seq LIMIT ?3")
        .map_err(read)?;
    let mut rows = statement.query(params![run.as_str(), number(after.0), PAGE]).map_err(read)?;
    let mut page = Page::default();
    while let Some(row) = rows.next().map_err(read)? {
        let seq = unsigned(row, 0).map_err(read)?;
        let ValueRef::Text(text) = row.get_ref(1).map_err(read)? else { return Err(damaged(seq)) };
        let digest = row.get(2).map(Digest::from_bytes).map_err(|_| damaged(seq))?;
        page.bytes.extend_from_slice(text);
        page.rows.push(StoredRow { seq, end: page.bytes.len(), digest });
    }
    Ok(page)
}

/// The runs that a query names.
pub(super) fn names(connection: &Connection, query: &str) -> Result<Vec<RunId>> {
    let read = |e| failed("runs", e).with_effect(Effect::NotApplied);
    let mut statement = connection.prepare(query).map_err(read)?;
    let rows = statement.query_map([], |row| row.get::<_, String>(0)).map_err(read)?;
    rows.map(|run| {
        RunId::new(run.map_err(read)?).map_err(|e| {
            Error::new(ErrorKind::Corrupt, format!("the journal names a run badly: {e}"))
                .with_effect(Effect::NotApplied)
        })
    })
    .collect()
}
