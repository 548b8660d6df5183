use std::{
    fmt,
    future::Future,
    pin::pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use futures::future::{Either, select};
use tokio::runtime::{Builder, Runtime};

use crate::{
    error::{Error, ErrorKind, Result},
    time::ManualClock,
};

/// Nothing can happen any more: no task is ready, and nobody waits for a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("nothing can happen any more: no task is ready, and nobody waits for a moment")]
pub struct Stuck;

/// One thread that makes time pass only when nothing else can happen, so that an hour takes as long as its events.
///
/// Tasks run in the order in which they were woken, on this thread alone, without I/O and without the machine's clock:
/// the same future does the same thing every time.
///
/// ```
/// use std::time::Duration;
/// use dr_core::{sim::VirtualTime, time::{Clock, ManualClock}};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = ManualClock::new();
/// let slept = clock.sleep(Duration::from_secs(3600)); // returns at once
/// VirtualTime::new()?.run(&clock, slept)?;
/// assert_eq!(clock.monotonic().since_origin(), Duration::from_secs(3600));
/// # Ok(())
/// # }
/// ```
pub struct VirtualTime {
    runtime: Runtime,
    idle: Arc<Idle>,
}

impl fmt::Debug for VirtualTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VirtualTime").finish_non_exhaustive()
    }
}

/// Who waits until no task is ready.
#[derive(Debug, Default)]
struct Idle(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    reached: bool,
}

impl Idle {
    /// The runtime is about to put its thread to sleep: every task waits for something.
    fn reached(&self) {
        let waker = {
            let mut waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let waker = waiting.waker.take();
            waiting.reached = waker.is_some();
            waker
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl VirtualTime {
    /// A runtime for the calling thread. It can be used again and again.
    ///
    /// # Errors
    ///
    /// [`Internal`](ErrorKind::Internal) when the runtime cannot be built.
    pub fn new() -> Result<Self> {
        let idle = Arc::new(Idle::default());
        let seen = Arc::clone(&idle);
        let runtime = Builder::new_current_thread()
            .on_thread_park(move || seen.reached())
            .build()
            .map_err(|e| Error::new(ErrorKind::Internal, format!("no runtime for virtual time: {e}")))?;
        Ok(Self { runtime, idle })
    }

    /// Runs a future, and what it spawns, to its end; time goes to the next sleeper whenever nothing else can happen.
    ///
    /// # Errors
    ///
    /// [`Stuck`] when the future waits for something that cannot come.
    pub fn run<F: Future>(&self, clock: &ManualClock, future: F) -> Result<F::Output, Stuck> {
        self.conduct(async {
            let mut future = pin!(future);
            loop {
                match select(future.as_mut(), pin!(self.idle())).await {
                    Either::Left((output, _)) => return Ok(output),
                    Either::Right(((), _)) => {
                        if !clock.advance_to_next() {
                            return Err(Stuck);
                        }
                    }
                }
            }
        })
    }

    /// Runs a future that makes time pass itself. It may wait for [`idle`](Self::idle) and for nothing else that has to be
    /// brought about from outside.
    pub(crate) fn conduct<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Completes when no task is ready.
    pub(crate) fn idle(&self) -> impl Future<Output = ()> + '_ {
        let mut asked = false;
        std::future::poll_fn(move |cx| {
            let mut waiting = self.idle.0.lock().unwrap_or_else(PoisonError::into_inner);
            if asked && waiting.reached {
                waiting.reached = false;
                return Poll::Ready(());
            }
            asked = true;
            waiting.reached = false;
            waiting.waker = Some(cx.waker().clone());
            Poll::Pending
        })
    }
}
