use std::fmt;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Digest, Entry, Record, Seq};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::Epoch,
    plan::canonical,
    time::Timestamp,
};

/// Where a chain of records stops being what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainBreak {
    /// A record is not where it belongs: one was dropped, swapped or added.
    OutOfPlace {
        /// The place that the record should have.
        expected: Seq,
        /// The place that it claims.
        found: Seq,
    },
    /// A record, or the one before it, is not what was written.
    Altered {
        /// The record whose digest does not fit.
        seq: Seq,
    },
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfPlace { expected, found } => {
                write!(f, "record {expected} is missing: record {found} stands in its place")
            }
            Self::Altered { seq } => write!(f, "record {seq} is not what was written"),
        }
    }
}

impl std::error::Error for ChainBreak {}

/// Checks that `records`, from the first of a run on, are what was written, in order and without a gap.
///
/// It cannot see that the last records are missing; compare the head with one that was kept elsewhere for that.
///
/// # Errors
///
/// [`ChainBreak`] at the first place where they are not.
pub fn verify(records: &[Record]) -> Result<(), ChainBreak> {
    let mut link = Link::default();
    records.iter().try_for_each(|record| link.follow(record))
}

/// The end of a chain that has been followed so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Link {
    pub(super) seq: Seq,
    pub(super) digest: Option<Digest>,
}

impl Link {
    /// Goes one record further.
    pub(super) fn follow(&mut self, record: &Record) -> Result<(), ChainBreak> {
        let expected = self.seq.next();
        if record.seq != expected {
            return Err(ChainBreak::OutOfPlace { expected, found: record.seq });
        }
        let altered = ChainBreak::Altered { seq: record.seq };
        let Ok(entry) = serde_json::to_value(&record.entry) else { return Err(altered) };
        if digest(self.digest.as_ref(), record.seq, record.at, record.epoch, &entry) != record.digest {
            return Err(altered);
        }
        self.seq = record.seq;
        self.digest = Some(record.digest.clone());
        Ok(())
    }
}

/// SHA-256 of the digest before, in its hexadecimal form, and the record's canonical JSON.
fn digest(before: Option<&Digest>, seq: Seq, at: Timestamp, epoch: Epoch, entry: &Value) -> Digest {
    let mut hash = Sha256::new();
    if let Some(before) = before {
        hash.update(&before.0);
    }
    let record = json!({ "at": at, "entry": canonical(entry), "epoch": epoch, "seq": seq });
    hash.update(record.to_string());
    Digest(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// An entry as it will be read again, and its text.
///
/// A floating-point number may change in its last digit when it is printed and parsed. A digest must not depend on
/// whether its record has been through a file, so an entry is passed through its text until the text stays the same.
pub(super) fn settle(entry: &Entry) -> Result<(Entry, String)> {
    let mut text = encode(entry)?;
    for _ in 0..8 {
        let read: Entry = serde_json::from_str(&text).map_err(|e| unreadable(&e))?;
        let again = encode(&read)?;
        if again == text {
            return Ok((read, text));
        }
        text = again;
    }
    Err(Error::new(ErrorKind::Internal, "an entry of the journal has no stable text").with_effect(Effect::NotApplied))
}

fn encode(entry: &Entry) -> Result<String> {
    Ok(canonical(&serde_json::to_value(entry).map_err(|e| unreadable(&e))?).to_string())
}

fn unreadable(e: &serde_json::Error) -> Error {
    Error::new(ErrorKind::Internal, format!("an entry of the journal does not encode: {e}"))
        .with_effect(Effect::NotApplied)
}

/// The record that follows `before`, and the text of its entry.
pub(super) fn record(
    before: Option<&Digest>,
    seq: Seq,
    at: Timestamp,
    epoch: Epoch,
    entry: &Entry,
) -> Result<(Record, String)> {
    let (entry, text) = settle(entry)?;
    let value = serde_json::to_value(&entry).map_err(|e| unreadable(&e))?;
    let digest = digest(before, seq, at, epoch, &value);
    Ok((Record { seq, at, epoch, entry, digest }, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(n: f64) -> Entry {
        Entry::Note { topic: "lag".to_owned(), value: json!({ "z": n, "a": [1, 2.5e-300, 0.1 + 0.2] }) }
    }

    fn chain(n: u64) -> Vec<Record> {
        let mut records: Vec<Record> = Vec::new();
        for seq in 1..=n {
            let before = records.last().map(|r| r.digest.clone());
            let entry = note(seq as f64 / 7.0);
            let at = Timestamp::from_millis(seq as i64);
            records.push(record(before.as_ref(), Seq(seq), at, Epoch(1), &entry).unwrap().0);
        }
        records
    }

    #[test]
    fn what_was_written_verifies_also_after_a_trip_through_text() {
        let records = chain(20);
        assert_eq!(verify(&records), Ok(()));
        let text = serde_json::to_string(&records).unwrap();
        assert_eq!(verify(&serde_json::from_str::<Vec<Record>>(&text).unwrap()), Ok(()));
    }

    #[test]
    fn a_changed_record_is_named() {
        let mut records = chain(5);
        records[2].entry = note(99.0);
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(3) }));
        let mut records = chain(5);
        records[3].epoch = Epoch(2);
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(4) }));
    }

    #[test]
    fn a_dropped_or_swapped_record_is_named() {
        let mut records = chain(5);
        records.remove(1);
        assert_eq!(verify(&records), Err(ChainBreak::OutOfPlace { expected: Seq(2), found: Seq(3) }));
        let mut records = chain(5);
        records.swap(1, 2);
        assert_eq!(verify(&records), Err(ChainBreak::OutOfPlace { expected: Seq(2), found: Seq(3) }));
        // A swap that also swaps the numbers shows in the digests.
        let mut records = chain(5);
        records.swap(1, 2);
        (records[1].seq, records[2].seq) = (Seq(2), Seq(3));
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(2) }));
    }
}
