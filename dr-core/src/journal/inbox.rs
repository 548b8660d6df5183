//! What every implementation of the inbox says when it refuses.

use super::{Request, RequestId, Submitted};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    model::RunId,
};

/// The place of a request that is there already; none when it is a new one.
///
/// # Errors
///
/// [`Conflict`](ErrorKind::Conflict) when the token was used for something else.
pub(super) fn again(run: &RunId, earlier: Option<&Submitted>, request: &Request) -> Result<Option<RequestId>> {
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
pub(super) fn no_run(run: &RunId) -> Error {
    Error::new(ErrorKind::NotFound, format!("the journal has no run {run}")).with_effect(Effect::NotApplied)
}
