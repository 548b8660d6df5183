//! What went wrong, whether to try again, and whether the world changed.
//!
//! A failover needs an axis that most error types lack: after a failed call, *did it happen?*
//! [`Effect::Indefinite`] is the default that an author must argue away.

mod failure;
mod kind;

pub use failure::Failure;
pub use kind::{Effect, Error, ErrorKind, Result, Retry};
