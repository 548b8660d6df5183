use futures::TryStreamExt as _;

use super::{ChainBreak, Digest, Journal, Seq, chain::Link};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::RunId,
};

/// What an audit of a run's records found to be whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// How many records there are.
    pub records: u64,
    /// The digest of the last; two audits with the same head saw the same records.
    pub head: Option<Digest>,
}

/// Reads a run's records and checks that they are what was written.
///
/// # Errors
///
/// [`Corrupt`](ErrorKind::Corrupt), naming the first record that is not what was written or that cannot be read.
pub async fn audit(journal: &dyn Journal, run: &RunId) -> Result<Audit> {
    let mut link = Link::default();
    let mut records = journal.read(run, Seq(0));
    while let Some(record) = records.try_next().await? {
        link.follow(&record).map_err(|broken| damaged(run, broken))?;
    }
    Ok(Audit { records: link.seq.0, head: (link.seq.0 > 0).then_some(link.digest) })
}

/// The error of a run whose records are not what was written.
pub(crate) fn damaged(run: &RunId, broken: ChainBreak) -> Error {
    Error::new(ErrorKind::Corrupt, format!("the journal of run {run} is damaged: {broken}"))
        .with_effect(Effect::NotApplied)
        .with_source(broken)
}
