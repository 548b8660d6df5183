//! Observers elsewhere: what they serve, and how it is pulled and believed.
//!
//! An observer keeps what it saw in a [`ReadingLog`] and answers each [`Question`] with a [`Statement`] under its
//! signature. Whoever decides pulls with a [`RemoteObserver`], whose [`Reception`] believes a statement only if it is
//! the observer's own answer to this very question. What is refused, or does not come, leaves the observer without an
//! opinion; it is never a vote against a region.
//!
//! Ages carry time over the wire. A statement dates each observation on the observer's monotonic clock and says what
//! that clock showed when it was signed; the receiver takes the difference from its own clock. An observation is dated
//! no later than it was made, and at most a round trip earlier. Wall clocks that differ by hours change nothing.

mod nonce;
mod observer;
mod reading_log;
mod reception;
mod refusal;
mod statement;
#[cfg(test)]
mod tests;
mod transport;

pub use nonce::{BootId, InvalidNonce, Nonce};
pub use observer::RemoteObserver;
pub use reading_log::ReadingLog;
pub use reception::{Cursor, Delivery, Exchange, Question, Reception};
pub use refusal::Refusal;
pub use statement::{MAX_ANSWER, Numbered, SignedStatement, Statement};
pub use transport::ObserverTransport;
