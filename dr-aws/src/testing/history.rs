use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dr_core::time::{Monotonic, SharedClock};

/// How far back a stale read can look.
const REACH: Duration = Duration::from_secs(15 * 60);
/// And over how many changes.
const VERSIONS: usize = 1024;

/// A state and what it was over the last quarter of an hour, so that a read can be answered with the past.
///
/// Every write keeps the version before it; a version is a clone, so keep in here what is configured, and
/// outside what is sampled all the time.
pub struct History<T> {
    clock: SharedClock,
    versions: Mutex<VecDeque<(Monotonic, Arc<T>)>>,
}

impl<T: Clone> History<T> {
    /// A history that begins with `state`, which then was always so.
    pub fn new(clock: SharedClock, state: T) -> Self {
        Self { clock, versions: Mutex::new(VecDeque::from([(Monotonic::ZERO, Arc::new(state))])) }
    }

    fn versions(&self) -> MutexGuard<'_, VecDeque<(Monotonic, Arc<T>)>> {
        self.versions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state at a moment, or the oldest that is remembered.
    #[expect(clippy::expect_used, reason = "a history is never empty: it starts with one version and keeps the last")]
    pub fn at(&self, moment: Monotonic) -> Arc<T> {
        let versions = self.versions();
        let found = versions.iter().rev().find(|(since, _)| *since <= moment).or_else(|| versions.front());
        Arc::clone(&found.expect("a history has a version").1)
    }

    /// The present state.
    pub fn now(&self) -> Arc<T> {
        self.at(Monotonic::new(Duration::MAX))
    }

    /// Changes the state, and remembers what it was. Nothing is remembered of a change that fails.
    ///
    /// # Errors
    ///
    /// What `change` returns; the state is then as it was.
    #[expect(clippy::expect_used, reason = "a history is never empty: it starts with one version and keeps the last")]
    pub fn try_write<R, E>(&self, change: impl FnOnce(&mut T) -> Result<R, E>) -> Result<R, E> {
        let mut versions = self.versions();
        let mut state = T::clone(&versions.back().expect("a history has a version").1);
        let result = change(&mut state)?;
        let now = self.clock.monotonic();
        versions.push_back((now, Arc::new(state)));
        // The version in force when the reach begins is still needed, so look at the one after it.
        while versions.len() > 1
            && (versions.len() > VERSIONS || versions.get(1).is_some_and(|(since, _)| now.since(*since) > REACH))
        {
            versions.pop_front();
        }
        Ok(result)
    }

    /// Changes the state, and remembers what it was.
    pub fn write<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        match self.try_write(|state| Ok::<R, std::convert::Infallible>(change(state))) {
            Ok(result) => result,
            Err(never) => match never {},
        }
    }
}

impl<T> fmt::Debug for History<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("History").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use dr_core::time::{Clock as _, ManualClock};

    use super::*;

    #[test]
    fn reads_of_the_past_see_what_was_true_then() {
        let clock = ManualClock::new();
        let history = History::new(Arc::new(clock.clone()), 1);
        clock.advance(Duration::from_secs(10));
        history.write(|state| *state = 2);
        clock.advance(Duration::from_secs(10));
        assert_eq!(*history.now(), 2);
        assert_eq!(*history.at(Monotonic::new(Duration::from_secs(9))), 1);
        assert_eq!(*history.at(Monotonic::new(Duration::from_secs(10))), 2);
    }

    #[test]
    fn a_failed_change_leaves_the_state_alone() {
        let history = History::new(Arc::new(ManualClock::new()), 1);
        let failed: Result<(), &str> = history.try_write(|state| {
            *state = 2;
            Err("no")
        });
        assert_eq!(failed, Err("no"));
        assert_eq!(*history.now(), 1);
    }

    #[test]
    fn the_oldest_versions_are_forgotten() {
        let clock = ManualClock::new();
        let history = History::new(Arc::new(clock.clone()), 0);
        for n in 1..3000 {
            clock.advance(Duration::from_millis(1));
            history.write(|state| *state = n);
        }
        assert_eq!(history.versions().len(), VERSIONS);
        clock.advance(REACH * 2);
        history.write(|state| *state = 3000);
        assert_eq!(history.versions().len(), 2);
        assert_eq!(*history.at(clock.monotonic()), 3000);
    }
}
