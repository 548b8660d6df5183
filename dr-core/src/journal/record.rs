use std::fmt;

use serde::{Deserialize, Serialize};

use super::Entry;
use crate::{model::Epoch, time::Timestamp};

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

/// A SHA-256 in hexadecimal, linking each record to the one before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Digest(pub String);

/// An entry as the journal keeps it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
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
}
