use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    error::{Error, ErrorKind},
    journal::{Journal, Lease},
    time::{Monotonic, SharedClock},
};

/// Until when an engine may act, by its own monotonic clock: the moment before its last renewal, and the lease's length.
///
/// A clock that is set back, or a process that was stopped, cannot make it longer.
#[derive(Clone, Debug)]
pub(super) struct LeaseTerm(Arc<Mutex<Monotonic>>);

impl LeaseTerm {
    pub(super) fn new(until: Monotonic) -> Self {
        Self(Arc::new(Mutex::new(until)))
    }

    pub(super) fn until(&self) -> Monotonic {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn extend(&self, until: Monotonic) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = until;
    }

    /// Whether the lease has not lapsed.
    pub(super) fn runs(&self, clock: &SharedClock) -> bool {
        clock.monotonic() < self.until()
    }
}

/// Renews the lease three times in its length, and answers only when it is lost: passed on, or lapsed because the store
/// could not be reached (guarantees 3 and 9).
pub(super) async fn keep(
    journal: Arc<dyn Journal>,
    lease: Lease,
    term: LeaseTerm,
    ttl: Duration,
    clock: SharedClock,
) -> Error {
    let mut last: Option<Error> = None;
    loop {
        let left = term.until().since(clock.monotonic());
        if left.is_zero() {
            let why = last.map_or_else(|| "it was not renewed in time".to_owned(), |error| error.to_string());
            return Error::new(ErrorKind::Fenced, format!("the lease on run {} has lapsed: {why}", lease.run));
        }
        // After a failure sooner, so that a short outage of the store costs no run.
        let wait = if last.is_some() { ttl / 12 } else { ttl / 3 };
        clock.sleep(wait.min(left)).await;
        let before = clock.monotonic();
        let left = term.until().since(before);
        if left.is_zero() {
            continue;
        }
        match crate::time::timeout(&*clock, left, journal.renew(&lease, ttl)).await {
            Ok(Ok(_)) => {
                term.extend(before + ttl);
                last = None;
            }
            Ok(Err(error)) if error.kind() == ErrorKind::Fenced => return error,
            Ok(Err(error)) => last = Some(error),
            Err(elapsed) => last = Some(Error::new(ErrorKind::Timeout, elapsed.to_string())),
        }
    }
}
