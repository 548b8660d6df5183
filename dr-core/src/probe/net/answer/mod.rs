//! Reading what a server answers, without a socket and without a clock.
//!
//! [`Reader`] is fed bytes as they come, in pieces of any size. It says when the head is there, when the body has been
//! read as far as anybody asked, and when what comes is no HTTP. It holds a bounded amount whatever comes: 16 KiB of
//! heads, the window that a [`BodyMatch`] looks at, and the state of one decoder.

mod body;
mod body_match;
mod coding;
mod framing;
mod head;
mod reader;

pub(super) use body::Seen;
pub use body_match::BodyMatch;
pub(super) use head::Head;
pub(super) use reader::{Come, Reader, Wanted};

/// The most that the heads of one answer may take, as for Route 53's checkers: "must not exceed 16 KiB in total".
pub(super) const HEAD: usize = 16 * 1024;
