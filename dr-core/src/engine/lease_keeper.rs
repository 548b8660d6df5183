use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::term;
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Journal, Lease},
    time::{Monotonic, SharedClock, Timestamp, timeout},
};

/// What an engine holds while it works on a run, and until when it may act on it. Clones are one.
///
/// The term is five sixths of the lease ([`term::usable`]), for walls differ. It counts from the moment before its last
/// renewal, on the engine's own monotonic clock: a wall clock that is set
/// back, or a process that was stopped, cannot make it longer. A machine that was suspended can: many monotonic clocks stand
/// still meanwhile. So when the wall says that the lease has lapsed although the monotonic clock does not, nobody decides
/// which of them is right: the journal is asked before the next effect ([`confirm`](Self::confirm)).
#[derive(Clone, Debug)]
pub(super) struct Tenure {
    pub(super) lease: Lease,
    journal: Arc<dyn Journal>,
    ttl: Duration,
    clock: SharedClock,
    renewed: Arc<Mutex<Moment>>,
}

/// One moment, on both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    monotonic: Monotonic,
    wall: Timestamp,
}

impl Moment {
    pub(super) fn now(clock: &SharedClock) -> Self {
        Self { monotonic: clock.monotonic(), wall: clock.wall() }
    }
}

impl Tenure {
    /// A lease that was asked for at `asked`.
    pub(super) fn new(
        lease: Lease,
        asked: Moment,
        journal: Arc<dyn Journal>,
        ttl: Duration,
        clock: SharedClock,
    ) -> Self {
        Self { lease, journal, ttl, clock, renewed: Arc::new(Mutex::new(asked)) }
    }

    fn renewed(&self) -> MutexGuard<'_, Moment> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much of the term is left.
    pub(super) fn left(&self) -> Duration {
        let asked = self.renewed().monotonic;
        term::left(asked, self.clock.monotonic(), self.ttl)
    }

    /// Makes sure, right before an effect, that the lease has not lapsed (guarantee 3).
    ///
    /// # Errors
    ///
    /// [`Fenced`](ErrorKind::Fenced) when it has; another error, not applied, when nobody can say.
    pub(super) async fn confirm(&self) -> Result<()> {
        if self.left().is_zero() {
            return Err(self.lapsed(None));
        }
        let renewed = *self.renewed();
        if self.clock.wall().since(renewed.wall) < term::usable(self.ttl) {
            return Ok(());
        }
        // Suspended, or a wall clock that was set forward: the one that gives leases knows.
        self.renew().await.map_err(|error| error.with_effect(Effect::NotApplied))
    }

    async fn renew(&self) -> Result<()> {
        let asked = Moment::now(&self.clock);
        let renewal = timeout(&*self.clock, self.left(), self.journal.renew(&self.lease, self.ttl)).await;
        renewal.unwrap_or_else(|elapsed| Err(Error::new(ErrorKind::Timeout, elapsed.to_string())))?;
        *self.renewed() = asked;
        Ok(())
    }

    fn lapsed(&self, why: Option<Error>) -> Error {
        let why = why.map_or_else(|| "it was not renewed in time".to_owned(), |error| error.to_string());
        Error::new(ErrorKind::Fenced, format!("the lease on run {} has lapsed: {why}", self.lease.run))
            .with_effect(Effect::NotApplied)
    }

    /// Renews the lease three times in its length, and answers only when it is lost: passed on, or lapsed because the
    /// store could not be reached (guarantees 3 and 9).
    pub(super) async fn keep(self) -> Error {
        let mut last: Option<Error> = None;
        loop {
            let left = self.left();
            if left.is_zero() {
                return self.lapsed(last);
            }
            // After a failure sooner, so that a short outage of the store costs no run.
            let wait = if last.is_some() { self.ttl / 12 } else { self.ttl / 3 };
            self.clock.sleep(wait.min(left)).await;
            if self.left().is_zero() {
                continue;
            }
            match self.renew().await {
                Ok(()) => last = None,
                Err(error) if error.kind() == ErrorKind::Fenced => return error,
                Err(error) => last = Some(error),
            }
        }
    }
}
