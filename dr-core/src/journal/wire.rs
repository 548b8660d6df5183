//! The stored form of a record, version 1. docs/design/journal-format.md describes it for people and other programs.

use serde::{Deserialize, Serialize, de::IgnoredAny};

use super::{Entry, Seq};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::{Epoch, RunId},
    time::Timestamp,
};

/// The version of the stored form that this program writes; it reads this one and every earlier one.
pub const FORMAT: u32 = 1;

/// A record's stored text. The order of the fields is the order of the bytes.
#[derive(Deserialize)]
pub(super) struct Body {
    pub(super) v: u32,
    pub(super) run: RunId,
    pub(super) seq: Seq,
    pub(super) at: Timestamp,
    pub(super) epoch: Epoch,
    pub(super) entry: Entry,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u32,
    run: &'a RunId,
    seq: Seq,
    at: Timestamp,
    epoch: Epoch,
    entry: &'a Entry,
}

/// The text of a record. It is made once: what is stored is never made again from what it says.
pub(super) fn encode(run: &RunId, seq: Seq, at: Timestamp, epoch: Epoch, entry: &Entry) -> Result<String> {
    serde_json::to_string(&Written { v: FORMAT, run, seq, at, epoch, entry }).map_err(|e| {
        Error::new(ErrorKind::Internal, format!("an entry of the journal does not encode: {e}"))
            .with_effect(Effect::NotApplied)
            .with_source(e)
    })
}

/// What a record's text says.
///
/// Fields that are not known are passed over: a newer program may add some that an older one can do without. An entry, or a
/// value of an enumeration, that is not known is refused: nobody can act on a run of which he understands a part.
pub(super) fn decode(text: &str) -> Result<Body> {
    match serde_json::from_str::<Body>(text) {
        Ok(body) if body.v == FORMAT => Ok(body),
        Ok(body) => Err(newer(&body.v.to_string())),
        Err(e) => Err(unreadable(text, e)),
    }
}

fn newer(v: &str) -> Error {
    let message = format!("it has version {v} of the journal's format, and this program reads up to {FORMAT}");
    Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied)
}

fn unreadable(text: &str, e: serde_json::Error) -> Error {
    #[derive(Deserialize)]
    struct Version {
        v: u64,
    }
    let error = match serde_json::from_str::<IgnoredAny>(text) {
        Err(broken) => {
            let message = format!("it stops being JSON at byte {}: {broken}", broken.column());
            Error::new(ErrorKind::Corrupt, message)
        }
        Ok(_) => match serde_json::from_str::<Version>(text) {
            Ok(version) if version.v != u64::from(FORMAT) => return newer(&version.v.to_string()),
            _ => Error::new(ErrorKind::Unsupported, format!("it says something that this program does not know: {e}")),
        },
    };
    error.with_effect(Effect::NotApplied).with_source(e)
}
