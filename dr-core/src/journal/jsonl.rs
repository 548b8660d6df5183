//! Records as lines of JSON, to be kept elsewhere and looked at with other tools.

use std::io::BufRead;

use futures::{StreamExt as _, TryStreamExt as _, stream::BoxStream};

use super::{Digest, Journal, Record, Seq};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::RunId,
};

/// What a line has that the stored text has not: the digest, as its last field.
const DIGEST: &str = ",\"digest\":\"";
/// The digest's field with its 64 digits and what closes the line.
const TAIL: usize = DIGEST.len() + 64 + 2;

impl Record {
    /// The record as one line of JSON, without a line feed: its stored text, with the digest as the last field.
    #[must_use]
    pub fn to_line(&self) -> String {
        let body = self.text().strip_suffix('}').unwrap_or(self.text());
        format!("{body}{DIGEST}{}\"}}", self.digest)
    }

    /// Reads what [`to_line`](Self::to_line) wrote. Whether it is what the journal held, [`verify`](super::verify) tells.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](ErrorKind::Corrupt) when the line is not a record; as [`read`](Self::read).
    pub fn from_line(line: &str) -> Result<Self> {
        let no_digest =
            || Error::new(ErrorKind::Corrupt, "it does not end with its digest").with_effect(Effect::NotApplied);
        let at = line.len().checked_sub(TAIL).filter(|at| line.is_char_boundary(*at)).ok_or_else(no_digest)?;
        let (body, tail) = line.split_at(at);
        let digits = tail.strip_prefix(DIGEST).and_then(|tail| tail.strip_suffix("\"}")).ok_or_else(no_digest)?;
        let digest: Digest = digits.parse().map_err(|_| no_digest())?;
        Self::read(format!("{body}}}"), digest)
    }
}

/// A run's records as lines of JSON, each with its line feed: a file that shows by itself whether it was changed.
///
/// # Errors
///
/// What reading the journal fails with.
///
/// ```
/// use dr_core::{error::Result, journal::{Journal, export_jsonl, read_jsonl, verify}, model::RunId};
/// use futures::TryStreamExt as _;
///
/// async fn keep(journal: &dyn Journal, run: &RunId) -> Result<String> {
///     let text: String = export_jsonl(journal, run).try_collect().await?;
///     assert_eq!(verify(&read_jsonl(text.as_bytes())?), Ok(()));
///     Ok(text)
/// }
/// ```
pub fn export_jsonl<'a>(journal: &'a dyn Journal, run: &'a RunId) -> BoxStream<'a, Result<String>> {
    journal.read(run, Seq(0)).map_ok(|record| record.to_line() + "\n").boxed()
}

/// Reads lines that [`export_jsonl`] wrote. They are not verified: [`verify`](super::verify) does
/// that.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt) when a line is not a record, with the line and the byte at which it begins; what `file`
/// fails with.
pub fn read_jsonl(mut file: impl BufRead) -> Result<Vec<Record>> {
    let mut records = Vec::new();
    let (mut line, mut begins) = (Vec::new(), 0_u64);
    for number in 1_u64.. {
        line.clear();
        let read = file.read_until(b'\n', &mut line).map_err(|e| {
            Error::new(ErrorKind::Storage, format!("the export cannot be read: {e}"))
                .with_effect(Effect::NotApplied)
                .with_source(e)
        })?;
        if read == 0 {
            break;
        }
        let place = |kind, why: &str| {
            let message = format!("line {number} of the export, from byte {begins} on, cannot be read: {why}");
            Error::new(kind, message).with_effect(Effect::NotApplied)
        };
        let text = line.strip_suffix(b"\n").ok_or_else(|| place(ErrorKind::Corrupt, "the line does not end"))?;
        let text = str::from_utf8(text)
            .map_err(|e| place(ErrorKind::Corrupt, &format!("it stops being text after {} bytes", e.valid_up_to())))?;
        records.push(Record::from_line(text).map_err(|e| place(e.kind(), e.message()).with_source(e))?);
        begins += u64::try_from(read).unwrap_or(u64::MAX);
    }
    Ok(records)
}
