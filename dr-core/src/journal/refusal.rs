//! What every journal says when it refuses, for those who write one: whoever calls a journal reads these errors, and must not
//! have to know which journal it is.

use super::{Lease, Request, RequestId, Seq, Submitted};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::RunId,
    time::Timestamp,
};

/// The error of a writer whose lease is no longer the run's.
#[must_use]
pub fn fenced(lease: &Lease) -> Error {
    Error::new(
        ErrorKind::Fenced,
        format!("the lease of {} on run {} (epoch {}) has passed on", lease.owner, lease.run, lease.epoch),
    )
    .with_effect(Effect::NotApplied)
}

/// The error of an append after something that is not the end.
#[must_use]
pub fn not_at_end(run: &RunId, expect: Seq, last: Seq) -> Error {
    Error::new(ErrorKind::Conflict, format!("run {run} ends at record {last}, not at {expect}"))
        .with_effect(Effect::NotApplied)
}

/// The error of an owner who wants a lease that another still holds.
#[must_use]
pub fn held(run: &RunId, owner: &str, expires: Timestamp) -> Error {
    Error::new(ErrorKind::Conflict, format!("run {run} is held by {owner} until {expires}"))
        .with_effect(Effect::NotApplied)
}

/// The place of a request that is there already; none when it is a new one.
///
/// # Errors
///
/// [`Conflict`](ErrorKind::Conflict) when the token was used for something else.
pub fn again(run: &RunId, earlier: Option<&Submitted>, request: &Request) -> Result<Option<RequestId>> {
    match earlier {
        Some(earlier) if request.repeats(&earlier.request) => Ok(Some(earlier.id)),
        Some(earlier) => {
            let message = format!(
                "request {} of run {run} has the token {} already, and asks for something else",
                earlier.id, request.token
            );
            Err(Error::new(ErrorKind::Conflict, message).with_effect(Effect::NotApplied))
        }
        None => Ok(None),
    }
}

/// The error of a request to a run that was never created.
#[must_use]
pub fn no_run(run: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, format!("the journal has no run {run}")).with_effect(Effect::NotApplied)
}
