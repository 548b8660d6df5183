use serde::{Deserialize, Serialize};

use super::{Digest, Journal, Signature, Signer, Verifier, audit};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::RunId,
    time::{Clock, Timestamp},
};

/// How far a run's journal had come at a moment.
///
/// A chain shows what was changed in it, but not that its end is missing: what is left is a whole chain. A checkpoint that is
/// kept where the journal's store is not shows that, too.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The run.
    pub run: RunId,
    /// How many records it had.
    pub count: u64,
    /// The digest of the last of them.
    pub head: Digest,
    /// When that was, for people.
    pub at: Timestamp,
}

/// A checkpoint with a signature under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    checkpoint: Checkpoint,
    key: String,
    signature: Signature,
}

/// What a signature covers: lines of text that no other message of this program begins like.
fn message(checkpoint: &Checkpoint, key: &str) -> String {
    let Checkpoint { run, count, head, at } = checkpoint;
    format!("dr journal checkpoint 1\n{run}\n{count}\n{head}\n{at}\n{key}\n")
}

impl Checkpoint {
    /// The checkpoint with a signature under it.
    ///
    /// # Errors
    ///
    /// What the signer fails with.
    pub async fn sign(self, signer: &dyn Signer) -> Result<SignedCheckpoint> {
        let key = signer.key().to_owned();
        let signature = signer.sign(message(&self, &key).as_bytes()).await?;
        Ok(SignedCheckpoint { checkpoint: self, key, signature })
    }
}

impl SignedCheckpoint {
    /// The checkpoint, when somebody who is trusted has signed it.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](ErrorKind::PermissionDenied) when the signature is not that of a trusted key, or of another checkpoint.
    pub fn open(&self, verifier: &dyn Verifier) -> Result<&Checkpoint> {
        let Self { checkpoint, key, signature } = self;
        if verifier.trusts(key, message(checkpoint, key).as_bytes(), signature) {
            return Ok(checkpoint);
        }
        let message = format!(
            "the checkpoint of run {} at record {} is not signed by a trusted key; it names the key {key:?}",
            checkpoint.run, checkpoint.count
        );
        Err(Error::new(ErrorKind::PermissionDenied, message).with_effect(Effect::NotApplied))
    }

    /// The name of the key that is said to have signed it.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Reads a run's records, checks that they are what was written, and signs how far they go.
///
/// # Errors
///
/// As [`audit`](super::audit); what the signer fails with; [`NotFound`](ErrorKind::NotFound) when the journal has no such run.
pub async fn checkpoint(
    journal: &dyn Journal,
    run: &RunId,
    signer: &dyn Signer,
    clock: &dyn Clock,
) -> Result<SignedCheckpoint> {
    let found = audit(journal, run).await?;
    let head = found.head.ok_or_else(|| {
        Error::new(ErrorKind::NotFound, format!("the journal has no run {run}")).with_effect(Effect::NotApplied)
    })?;
    Checkpoint { run: run.clone(), count: found.records, head, at: clock.wall() }.sign(signer).await
}
