use std::fmt;

use super::{Checkpoint, Digest, Record, Seq, wire};
use crate::model::RunId;

/// Where a chain of records stops being what was written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
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
    /// A record belongs to another run.
    Foreign {
        /// Where it stands.
        seq: Seq,
        /// The run that it claims.
        run: RunId,
    },
    /// The records end before one that a checkpoint saw.
    Truncated {
        /// The last record that is there.
        ends: Seq,
        /// The last record that the checkpoint saw.
        signed: Seq,
    },
    /// The chain is whole, but it is another than a checkpoint saw: somebody wrote it anew.
    Rewritten {
        /// The record at which the checkpoint saw another digest.
        seq: Seq,
    },
    /// What a record says in memory is not what its text says.
    Changed {
        /// The record.
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
            Self::Foreign { seq, run } => write!(f, "in the place of record {seq} stands a record of run {run}"),
            Self::Truncated { ends, signed } => {
                write!(f, "the records end at {ends}, and a checkpoint saw them go on to {signed}")
            }
            Self::Rewritten { seq } => {
                write!(f, "record {seq} is not the one that a checkpoint saw: the records up to it were written anew")
            }
            Self::Changed { seq } => write!(f, "record {seq} was changed after it was read"),
        }
    }
}

impl std::error::Error for ChainBreak {}

/// Checks that `records`, from the first of a run on, are what was written, in order and without a gap.
///
/// It cannot see that the last records are missing, or that somebody who can write to the store wrote all of them anew:
/// [`verify_against`] a checkpoint that is kept elsewhere does.
///
/// # Errors
///
/// [`ChainBreak`] at the first place where they are not.
pub fn verify(records: &[Record]) -> Result<(), ChainBreak> {
    let mut link = Link::default();
    records.iter().try_for_each(|record| {
        link.follow(record)?;
        // The fields of a record can be written to; what counts is its text.
        let same = wire::decode(record.text()).is_ok_and(|body| {
            (&body.run, body.seq, body.at, body.epoch, &body.entry)
                == (&record.run, record.seq, record.at, record.epoch, &record.entry)
        });
        if same { Ok(()) } else { Err(ChainBreak::Changed { seq: record.seq }) }
    })
}

/// Checks as [`verify`] does, and that everything is there that the checkpoints saw.
///
/// The checkpoints must be trusted: open signed ones with
/// [`SignedCheckpoint::open`](super::SignedCheckpoint::open).
///
/// # Errors
///
/// [`ChainBreak`] at the first place where they are not what was written, or not what the checkpoints saw.
pub fn verify_against(records: &[Record], checkpoints: &[Checkpoint]) -> Result<(), ChainBreak> {
    verify(records)?;
    let ends = records.last().map_or(Seq(0), |record| record.seq);
    for checkpoint in checkpoints.iter().filter(|checkpoint| checkpoint.count > 0) {
        let seq = Seq(checkpoint.count);
        if let Some(first) = records.first()
            && first.run != checkpoint.run
        {
            return Err(ChainBreak::Foreign { seq: first.seq, run: first.run.clone() });
        }
        // A verified chain has the record of place n at index n - 1.
        let seen = usize::try_from(checkpoint.count - 1).ok().and_then(|place| records.get(place));
        match seen {
            Some(record) if record.digest == checkpoint.head => {}
            Some(_) => return Err(ChainBreak::Rewritten { seq }),
            None => return Err(ChainBreak::Truncated { ends, signed: seq }),
        }
    }
    Ok(())
}

/// The end of a chain that has been followed so far.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    run: Option<RunId>,
    pub(crate) seq: Seq,
    pub(crate) digest: Digest,
}

impl Default for Link {
    fn default() -> Self {
        Self { run: None, seq: Seq(0), digest: Digest::START }
    }
}

impl Link {
    /// Goes one record further. It looks at the stored bytes, and believes the record's fields for its place only.
    pub(crate) fn follow(&mut self, record: &Record) -> Result<(), ChainBreak> {
        let expected = self.seq.next();
        if record.seq != expected {
            return Err(ChainBreak::OutOfPlace { expected, found: record.seq });
        }
        if self.run.get_or_insert_with(|| record.run.clone()) != &record.run {
            return Err(ChainBreak::Foreign { seq: record.seq, run: record.run.clone() });
        }
        if self.digest.then(record.text().as_bytes()) != record.digest {
            return Err(ChainBreak::Altered { seq: record.seq });
        }
        self.seq = record.seq;
        self.digest = record.digest;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{journal::Entry, model::Epoch, time::Timestamp};

    fn note(n: f64) -> Entry {
        Entry::Note { topic: "lag".to_owned(), value: json!({ "z": n, "a": [1, 2.5e-300, 0.1 + 0.2] }) }
    }

    fn chain_of(run: &str, n: u64) -> Vec<Record> {
        let run = RunId::new(run).unwrap();
        let mut records: Vec<Record> = Vec::new();
        for seq in 1..=n {
            let before = records.last().map_or(Digest::START, |r| r.digest);
            let at = Timestamp::from_millis(seq as i64);
            records.push(Record::write(&run, &before, Seq(seq), at, Epoch(1), note(seq as f64 / 7.0)).unwrap());
        }
        records
    }

    fn chain(n: u64) -> Vec<Record> {
        chain_of("run-1", n)
    }

    fn rewritten(record: &Record, from: &str, to: &str) -> Record {
        let text = record.text().replacen(from, to, 1);
        assert_ne!(text, record.text());
        Record::read(text, record.digest).unwrap()
    }

    #[test]
    fn what_was_written_verifies_also_after_a_trip_through_text() {
        let records = chain(20);
        assert_eq!(verify(&records), Ok(()));
        let read: Vec<Record> =
            records.iter().map(|record| Record::read(record.text(), record.digest).unwrap()).collect();
        assert_eq!(read, records, "numbers come back to the last digit");
        assert_eq!(verify(&read), Ok(()));
    }

    #[test]
    fn a_changed_record_is_named() {
        let mut records = chain(5);
        records[2] = rewritten(&records[2], "lag", "lap");
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(3) }));
        let mut records = chain(5);
        records[3] = rewritten(&records[3], "\"epoch\":1", "\"epoch\":2");
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(4) }));
        // Only its fields.
        let mut records = chain(5);
        records[2].entry = note(99.0);
        assert_eq!(verify(&records), Err(ChainBreak::Changed { seq: Seq(3) }));
        let mut records = chain(5);
        records[3].epoch = Epoch(2);
        assert_eq!(verify(&records), Err(ChainBreak::Changed { seq: Seq(4) }));
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
        records[1] = rewritten(&records[1], "\"seq\":2", "\"seq\":3");
        records[2] = rewritten(&records[2], "\"seq\":3", "\"seq\":2");
        records.swap(1, 2);
        assert_eq!(verify(&records), Err(ChainBreak::Altered { seq: Seq(2) }));
    }

    #[test]
    fn a_record_of_another_run_is_named() {
        let mut records = chain(5);
        records[3] = chain_of("run-2", 5).remove(3);
        let run = RunId::new("run-2").unwrap();
        assert_eq!(verify(&records), Err(ChainBreak::Foreign { seq: Seq(4), run }));
    }
}
