use std::fmt;

use async_trait::async_trait;

use super::Question;
use crate::{error::Result, probe::ProbeCx};

/// The way to an observer elsewhere: it carries a question there and brings back the bytes of the answer.
///
/// It need not be safe: an answer is believed for its signature. [`HttpTransport`](crate::probe::HttpTransport) is the
/// one over HTTP and HTTPS.
///
/// ```
/// use std::sync::Mutex;
/// use dr_core::{
///     error::{Error, ErrorKind, Result},
///     journal::Ed25519Signer,
///     probe::{ProbeCx, remote::{ObserverTransport, Question, ReadingLog}},
/// };
///
/// /// An observer in this very process.
/// #[derive(Debug)]
/// struct InProcess { log: Mutex<ReadingLog>, signer: Ed25519Signer }
///
/// #[async_trait::async_trait]
/// impl ObserverTransport for InProcess {
///     async fn ask(&self, cx: &ProbeCx, question: &Question) -> Result<Vec<u8>> {
///         let broken = |_| Error::new(ErrorKind::Internal, "somebody panicked while holding the log");
///         let statement = self.log.lock().map_err(broken)?.answer(question, cx.clock().monotonic());
///         let signed = statement.sign(&self.signer).await?;
///         serde_json::to_vec(&signed).map_err(|e| Error::new(ErrorKind::Internal, e.to_string()))
///     }
/// }
/// ```
#[async_trait]
pub trait ObserverTransport: fmt::Debug + Send + Sync + 'static {
    /// Puts the question and reads the answer, of which no more than [`MAX_ANSWER`](super::MAX_ANSWER) bytes and one.
    ///
    /// # Errors
    ///
    /// When no answer comes. The message says why in words without secrets: people read it in the reasons of a verdict.
    async fn ask(&self, cx: &ProbeCx, question: &Question) -> Result<Vec<u8>>;
}
