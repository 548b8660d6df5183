//! A slot of a run's log, as bytes.

use bytes::Bytes;
use dr_core::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Digest, Record, read_jsonl},
    model::{Epoch, OwnerId, RunId},
};
use serde::{Deserialize, Serialize};

/// The version of the slots' form.
const VERSION: u32 = 1;

/// What a slot is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Says {
    /// From here on, this owner appends with this epoch, and nobody with an earlier one.
    Claim {
        /// Who.
        owner: OwnerId,
    },
    /// From here on, nobody appends until somebody claims.
    Release,
    /// The records of one append follow.
    Records {
        /// How many.
        count: u64,
    },
}

/// The first line of a slot. The lines after it are the records, as an export has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Header {
    v: u32,
    pub(super) run: RunId,
    pub(super) slot: u64,
    pub(super) epoch: Epoch,
    pub(super) says: Says,
    /// A mark of this one write, by which it is told from another of the same content.
    pub(super) writer: String,
}

impl Header {
    pub(super) fn new(run: &RunId, slot: u64, epoch: Epoch, says: Says, writer: String) -> Self {
        Self { v: VERSION, run: run.clone(), slot, epoch, says, writer }
    }
}

/// The bytes of a slot: the header's JSON and, after a space, its own digest; then a line for each record.
pub(super) fn encode(header: &Header, records: &[Record]) -> Result<Bytes> {
    let head = serde_json::to_string(header).map_err(|e| {
        Error::new(ErrorKind::Internal, format!("a slot of the journal does not encode: {e}"))
            .with_effect(Effect::NotApplied)
    })?;
    let mut text = format!("{head} {}\n", Digest::START.then(head.as_bytes()));
    for record in records {
        text.push_str(&record.to_line());
        text.push('\n');
    }
    Ok(Bytes::from(text))
}

/// Reads the slot of this number.
pub(super) fn decode(run: &RunId, slot: u64, bytes: &[u8]) -> Result<(Header, Vec<Record>)> {
    let damaged = |why: &str| {
        let message = format!("slot {slot} of the journal of run {run} is damaged: {why}");
        Error::new(ErrorKind::Corrupt, message).with_effect(Effect::NotApplied)
    };
    let end = bytes.iter().position(|byte| *byte == b'\n').ok_or_else(|| damaged("it has no first line"))?;
    let (head, rest) = bytes.split_at(end);
    let head = str::from_utf8(head).map_err(|_| damaged("its first line is not text"))?;
    let (head, digest) = head.rsplit_once(' ').ok_or_else(|| damaged("its first line has no digest"))?;
    if digest.parse() != Ok(Digest::START.then(head.as_bytes())) {
        return Err(damaged("its first line is not what was written"));
    }
    let header: Header = serde_json::from_str(head).map_err(|e| {
        let message = format!("slot {slot} of the journal of run {run} says what this program does not know: {e}");
        Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied)
    })?;
    if header.v != VERSION {
        let message = format!("slot {slot} of the journal of run {run} has version {}", header.v);
        return Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied));
    }
    if (&header.run, header.slot) != (run, slot) {
        return Err(damaged(&format!("it is slot {} of run {}", header.slot, header.run)));
    }
    let records = read_jsonl(rest.get(1..).unwrap_or_default()).map_err(|e| damaged(e.message()).with_source(e))?;
    let count = match header.says {
        Says::Records { count } => count,
        Says::Claim { .. } | Says::Release => 0,
    };
    if u64::try_from(records.len()) != Ok(count) {
        return Err(damaged(&format!("it has {} records of {count}", records.len())));
    }
    Ok((header, records))
}
