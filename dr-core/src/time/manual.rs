use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use futures::{FutureExt as _, future::BoxFuture};

use super::{Clock, Monotonic, Timestamp};

/// A clock that moves only when told: time for tests and simulations.
///
/// Clones share one time. Sleepers wake, in order of their deadline, when [`advance`](Self::advance) passes it.
#[derive(Clone, Debug, Default)]
pub struct ManualClock {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    next_sleeper: u64,
    sleepers: BTreeMap<(Duration, u64), Option<Waker>>,
}

impl ManualClock {
    /// A clock at its origin, which is also the Unix epoch of its wall.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves time forward by `d` and wakes whoever waited for a moment up to then.
    pub fn advance(&self, d: Duration) {
        let mut state = self.state();
        state.now += d;
        let now = state.now;
        let due = state.sleepers.iter_mut().take_while(|((deadline, _), _)| *deadline <= now);
        let wakers: Vec<Waker> = due.filter_map(|(_, waker)| waker.take()).collect();
        // A waker may be the last that holds a task, and the task another sleeper: nothing is woken or dropped under the lock.
        drop(state);
        wakers.into_iter().for_each(Waker::wake);
    }

    /// The earliest moment ahead that a sleeper waits for. One whose moment has come is awake, even if nobody has polled it.
    #[must_use]
    pub fn next_deadline(&self) -> Option<Monotonic> {
        let state = self.state();
        state.sleepers.keys().map(|(deadline, _)| *deadline).find(|deadline| *deadline > state.now).map(Monotonic::new)
    }

    /// Moves time forward to the earliest sleeper's deadline; false when nobody sleeps.
    pub fn advance_to_next(&self) -> bool {
        let Some(next) = self.next_deadline() else { return false };
        let step = next.since(self.monotonic());
        self.advance(step);
        true
    }
}

/// Removes its sleeper when dropped, so that a cancelled wait is not waited for.
struct Sleeper {
    state: Arc<Mutex<State>>,
    key: (Duration, u64),
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        let waker = self.state.lock().unwrap_or_else(PoisonError::into_inner).sleepers.remove(&self.key);
        drop(waker);
    }
}

impl Clock for ManualClock {
    fn wall(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH + self.state().now
    }

    fn monotonic(&self) -> Monotonic {
        Monotonic::new(self.state().now)
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        let key = {
            let mut state = self.state();
            let key = (state.now + d, state.next_sleeper);
            state.next_sleeper += 1;
            state.sleepers.insert(key, None);
            key
        };
        let sleeper = Sleeper { state: Arc::clone(&self.state), key };
        std::future::poll_fn(move |cx| {
            let mut state = sleeper.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.now >= sleeper.key.0 {
                return Poll::Ready(());
            }
            let before = state.sleepers.insert(sleeper.key, Some(cx.waker().clone()));
            drop(state);
            drop(before);
            Poll::Pending
        })
        .boxed()
    }
}
