//! Virtual time that moves on when nobody can go on without it.

use std::{
    cell::RefCell,
    future::Future,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use dr_core::time::{Clock as _, ManualClock};
use tokio::{sync::Notify, task::AbortHandle};

/// Virtual time that something may take before it counts as stuck.
const PATIENCE: Duration = Duration::from_secs(6 * 3600);
/// How many looks for packets must find nothing before time moves: a request over loopback takes a few of them.
const QUIET: u32 = 6;

thread_local! {
    /// Told whenever this thread's runtime has nothing left to do.
    static IDLE: RefCell<Arc<Notify>> = RefCell::default();
}

/// Runs `work` on a runtime that says when it is idle.
pub(super) fn on_runtime<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .on_thread_park(|| IDLE.with_borrow(|idle| idle.notify_one()))
        .build();
    runtime.unwrap().block_on(work)
}

/// Moves a clock to the next moment that somebody waits for, whenever everybody waits.
pub(super) struct Pacer {
    clock: ManualClock,
    moves: Arc<AtomicU64>,
    task: AbortHandle,
}

impl Pacer {
    /// Begins to move the clock. To be called on [`on_runtime`]'s runtime.
    pub(super) fn start(clock: ManualClock) -> Self {
        let (idle, moves) = (Arc::new(Notify::new()), Arc::new(AtomicU64::new(0)));
        IDLE.set(Arc::clone(&idle));
        let task = tokio::spawn(pace(clock.clone(), idle, Arc::clone(&moves))).abort_handle();
        Self { clock, moves, task }
    }

    /// A future whose every move keeps time where it is for as long as packets may be under way.
    pub(super) fn watch<F: Future>(&self, work: F) -> impl Future<Output = F::Output> + use<F> {
        Watched { work: Box::pin(work), moves: Arc::clone(&self.moves) }
    }

    /// Drives `work` to its end.
    pub(super) async fn passing<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(self.watch(work));
        let stuck = self.clock.sleep(PATIENCE);
        tokio::select! {
            biased;
            value = &mut work => value,
            () = stuck => panic!("nothing has come of it in {PATIENCE:?}"),
        }
    }
}

impl Drop for Pacer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pace(clock: ManualClock, idle: Arc<Notify>, moves: Arc<AtomicU64>) {
    let (mut quiet, mut seen) = (0, 0);
    loop {
        idle.notified().await;
        // The runtime looks for packets before it comes back to a task that yields.
        tokio::task::yield_now().await;
        let now = moves.load(Ordering::Relaxed);
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
        if quiet == QUIET {
            quiet = 0;
            clock.advance_to_next();
        }
    }
}

struct Watched<F: ?Sized> {
    moves: Arc<AtomicU64>,
    work: Pin<Box<F>>,
}

impl<F: Future> Future for Watched<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        self.moves.fetch_add(1, Ordering::Relaxed);
        self.work.as_mut().poll(cx)
    }
}
