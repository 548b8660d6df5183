use serde::{Deserialize, Serialize};

use super::{BootId, Nonce};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Signature, Signer},
    model::VantageId,
    probe::{Outcome, Subject},
    time::Monotonic,
};

/// The most bytes that an answer may take; what is longer is not read to its end.
pub const MAX_ANSWER: usize = 1 << 20;

/// What an observer saw in one look, with its place in the order of its looks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numbered {
    /// From 1 on, one more for each look of this boot.
    pub seq: u64,
    /// When the look ended, on the observer's monotonic clock.
    pub at: Monotonic,
    /// What was looked at.
    pub subject: Subject,
    /// What came of it.
    pub outcome: Outcome,
}

/// What an observer answers: who it is, which life of it this is, and what it saw since the sequence number asked for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Who observes.
    pub observer: VantageId,
    /// Which life of its process.
    pub boot: BootId,
    /// The question that this answers.
    pub nonce: Nonce,
    /// What the observer's monotonic clock showed when it answered.
    pub now: Monotonic,
    /// The latest look that it has; more is there to be asked for when `readings` ends before it.
    pub newest: u64,
    /// What it saw, in order.
    pub readings: Vec<Numbered>,
}

/// A statement's text with a signature under it. The text is signed as it stands, so that nobody has to write it twice
/// alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedStatement {
    /// The [`Statement`] in JSON.
    pub statement: String,
    /// The name of the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The signature under both.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
}

/// What a signature covers: lines of text that no other message of this program begins like.
pub(super) fn message(statement: &str, key: &str) -> String {
    format!("dr observer statement 1\n{key}\n{statement}")
}

impl Statement {
    /// The statement with a signature under it.
    ///
    /// # Errors
    ///
    /// What the signer fails with.
    pub async fn sign(&self, signer: &dyn Signer) -> Result<SignedStatement> {
        let statement = serde_json::to_string(self).map_err(|error| {
            Error::new(ErrorKind::Internal, format!("a statement cannot be written: {error}"))
                .with_effect(Effect::NotApplied)
        })?;
        let key = signer.key().to_owned();
        let signature = signer.sign(message(&statement, &key).as_bytes()).await?;
        Ok(SignedStatement { statement, key: Some(key), signature: Some(signature) })
    }
}
