use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::BoxFuture;
use tokio::sync::Notify;

use crate::time::{Clock, ManualClock, Monotonic, Timestamp};

/// A machine on which engines run one after another: its clocks can be wrong, and it can be suspended.
#[derive(Debug)]
pub(crate) struct Host {
    time: ManualClock,
    state: Mutex<State>,
    awake: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// How far its wall is off, in milliseconds.
    wall_off: i64,
    /// What its monotonic clock has not counted.
    uncounted: Duration,
    /// Since when it is suspended, and whether its monotonic clock goes on meanwhile.
    suspended: Option<(Duration, bool)>,
}

impl Host {
    pub(crate) fn new(time: ManualClock) -> Self {
        Self { time, state: Mutex::default(), awake: Notify::new() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Duration {
        self.time.monotonic().since_origin()
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        self.state().wall_off += by_ms;
    }

    pub(crate) fn suspend(&self, counted: bool) {
        let now = self.now();
        self.state().suspended.get_or_insert((now, counted));
    }

    pub(crate) fn resume(&self) {
        let now = self.now();
        {
            let mut state = self.state();
            if let Some((since, counted)) = state.suspended.take()
                && !counted
            {
                state.uncounted += now - since;
            }
        }
        self.awake.notify_waiters();
    }

    fn is_suspended(&self) -> bool {
        self.state().suspended.is_some()
    }

    fn monotonic(&self) -> Monotonic {
        let now = self.now();
        let state = self.state();
        let frozen = match state.suspended {
            Some((since, false)) => now - since,
            _ => Duration::ZERO,
        };
        Monotonic::new(now.saturating_sub(state.uncounted).saturating_sub(frozen))
    }
}

/// A wall that is off: 2026-01-01 and the time that has passed, give or take what somebody did to the clock.
pub(crate) fn wall(time: &ManualClock, off_ms: i64) -> Timestamp {
    let passed = i64::try_from(time.monotonic().since_origin().as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(1_767_225_600_000_i64.saturating_add(passed).saturating_add(off_ms))
}

/// One engine's process: it is alive until it crashes, and then nothing of it happens any more, not even a little.
#[derive(Clone, Debug)]
pub(crate) struct Process {
    pub(crate) engine: u8,
    pub(crate) life: u16,
    host: Arc<Host>,
    alive: Arc<AtomicBool>,
}

impl Process {
    pub(crate) fn new(engine: u8, life: u16, host: Arc<Host>) -> Self {
        Self { engine, life, host, alive: Arc::new(AtomicBool::new(true)) }
    }

    pub(crate) fn kill(&self) {
        self.alive.store(false, Ordering::Relaxed);
    }

    pub(crate) fn is_alive(&self) -> bool {
        self.alive.load(Ordering::Relaxed)
    }

    /// Goes on at once in a process that runs, later in one that is suspended, never in one that is dead.
    pub(crate) async fn gate(&self) {
        while self.is_alive() && self.host.is_suspended() {
            self.host.awake.notified().await;
        }
        if !self.is_alive() {
            std::future::pending::<()>().await;
        }
    }
}

impl Clock for Process {
    fn wall(&self) -> Timestamp {
        wall(&self.host.time, self.host.state().wall_off)
    }

    fn monotonic(&self) -> Monotonic {
        self.host.monotonic()
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        let process = self.clone();
        let until = self.monotonic() + d;
        Box::pin(async move {
            loop {
                process.gate().await;
                let left = until.since(process.monotonic());
                if left.is_zero() {
                    return;
                }
                process.host.time.sleep(left).await;
            }
        })
    }
}

/// The journal store's own machine.
#[derive(Clone, Debug)]
pub(crate) struct StoreClock {
    time: ManualClock,
    off_ms: Arc<Mutex<i64>>,
}

impl StoreClock {
    pub(crate) fn new(time: ManualClock) -> Self {
        Self { time, off_ms: Arc::default() }
    }

    pub(crate) fn jump(&self, by_ms: i64) {
        *self.off_ms.lock().unwrap_or_else(PoisonError::into_inner) += by_ms;
    }
}

impl Clock for StoreClock {
    fn wall(&self) -> Timestamp {
        wall(&self.time, *self.off_ms.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn monotonic(&self) -> Monotonic {
        self.time.monotonic()
    }

    fn sleep(&self, d: Duration) -> BoxFuture<'static, ()> {
        self.time.sleep(d)
    }
}
