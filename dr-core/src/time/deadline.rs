use std::{fmt, future::Future, time::Duration};

use futures::future::{Either, select};

use super::Clock;

/// The future did not complete in the time it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elapsed(
    /// The time it was given.
    pub Duration,
);

impl fmt::Display for Elapsed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no answer within {:?}", self.0)
    }
}

impl std::error::Error for Elapsed {}

/// Runs `future` for at most `limit` of `clock`'s time.
///
/// # Errors
///
/// [`Elapsed`] when the limit passed first; the future is dropped.
pub async fn timeout<F: Future>(clock: &dyn Clock, limit: Duration, future: F) -> Result<F::Output, Elapsed> {
    let sleep = clock.sleep(limit);
    let future = std::pin::pin!(future);
    match select(future, sleep).await {
        Either::Left((output, _)) => Ok(output),
        Either::Right(((), _)) => Err(Elapsed(limit)),
    }
}
