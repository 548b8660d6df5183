use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Digest, Entry, wire};
use crate::{
    error::Result,
    model::{Epoch, RunId},
    time::Timestamp,
};

/// A record's place in its run: 1 for the first, 0 for "nothing yet".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seq(pub u64);

impl Seq {
    /// The place after this one.
    #[must_use]
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// An entry as the journal keeps it: what it says, and the exact bytes that say so.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Its run.
    pub run: RunId,
    /// Its place.
    pub seq: Seq,
    /// When it was written, for people.
    pub at: Timestamp,
    /// The lease that wrote it.
    pub epoch: Epoch,
    /// What it says.
    pub entry: Entry,
    /// The digest of this record, which covers the one before it.
    pub digest: Digest,
    text: Box<str>,
}

impl Record {
    /// Writes an entry down: the record that comes after the one with the digest `before`, at the place `seq`.
    ///
    /// # Errors
    ///
    /// [`Internal`](crate::error::ErrorKind::Internal) when the entry has no JSON form.
    pub fn write(run: &RunId, before: &Digest, seq: Seq, at: Timestamp, epoch: Epoch, entry: Entry) -> Result<Self> {
        let text = wire::encode(run, seq, at, epoch, &entry)?;
        let digest = before.then(text.as_bytes());
        Ok(Self { run: run.clone(), seq, at, epoch, entry, digest, text: text.into() })
    }

    /// Reads a record from the bytes that a store kept. Whether they are what was written,
    /// [`verify`](super::verify) tells.
    ///
    /// # Errors
    ///
    /// [`Corrupt`](crate::error::ErrorKind::Corrupt) when they are not a record, with the byte at which they stop being
    /// one; [`Unsupported`](crate::error::ErrorKind::Unsupported) when they say something that this program does not know.
    pub fn read(text: impl Into<Box<str>>, digest: Digest) -> Result<Self> {
        let text = text.into();
        let wire::Body { run, seq, at, epoch, entry, .. } = wire::decode(&text)?;
        Ok(Self { run, seq, at, epoch, entry, digest, text })
    }

    /// The exact text that is stored, and that the digest covers.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}
