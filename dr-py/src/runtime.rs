//! The one runtime of the module, and how Python waits for it.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::{Arc, LazyLock, OnceLock, PoisonError, RwLock},
    task::{Context, Wake, Waker},
    time::Duration,
};

use dr_core::{
    error::{Effect, Error, ErrorKind, Failure},
    time::{SystemClock, timeout},
};
use pyo3::prelude::*;
use tokio::{runtime::Runtime, sync::oneshot};

use crate::raise::Trouble;

/// How long a wait goes on before it listens for Ctrl-C again.
const LISTEN: Duration = Duration::from_millis(100);

/// Waits for a terminal or a person pass in the machine's time, whatever the world's clock.
static MACHINE: LazyLock<Arc<SystemClock>> = LazyLock::new(|| Arc::new(SystemClock::new()));

/// The runtime, made when it is first needed and kept until the process ends.
pub(crate) fn runtime() -> Result<&'static Runtime, Trouble> {
    static RUNTIME: OnceLock<Result<Runtime, String>> = OnceLock::new();
    let made = RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("dr")
            .enable_all()
            .build()
            .map_err(|error| error.to_string())
    });
    made.as_ref().map_err(|message| {
        Trouble::from(Error::new(ErrorKind::Internal, message.clone()).with_effect(Effect::NotApplied))
    })
}

/// Waits with the interpreter free, and ends early with whatever a signal handler raises, such as `KeyboardInterrupt`.
pub(crate) fn wait<T, F>(py: Python<'_>, work: F) -> PyResult<T>
where
    F: Future<Output = T> + Send,
    T: Send,
{
    let runtime = runtime()?;
    let mut work = Box::pin(work);
    loop {
        let round = py.detach(|| runtime.block_on(timeout(&**MACHINE, LISTEN, &mut work)));
        match round {
            Ok(done) => return Ok(done),
            Err(_) => py.check_signals()?,
        }
    }
}

/// Does the work on the runtime, and gives a future that any executor, such as Python's event loop, can wait for.
pub(crate) async fn hand_over<T, F>(work: F) -> Result<T, Trouble>
where
    F: Future<Output = Result<T, Trouble>> + Send + 'static,
    T: Send + 'static,
{
    let (told, heard) = oneshot::channel();
    runtime()?.spawn(async move {
        // Whoever waited has gone; the work is done all the same.
        let _ = told.send(work.await);
    });
    heard.await.unwrap_or_else(|_| Err(ended_early().into()))
}

/// Whether threads of the runtime may still call into Python.
static OPEN: RwLock<bool> = RwLock::new(true);

/// A wake of Python's event loop, by a thread of the runtime. A thread that is inside Python when the interpreter ends is
/// ended with it, in the midst of Rust: so the end waits for those inside, and then lets nobody in.
struct Doorway(Waker);

impl Wake for Doorway {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let open = OPEN.read().unwrap_or_else(PoisonError::into_inner);
        if *open {
            self.0.wake_by_ref();
        }
    }
}

/// The same future, for Python's event loop to wait for: threads that wake it do so through the [`Doorway`].
pub(crate) async fn awaited<F: Future>(work: F) -> F::Output {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let waker = Waker::from(Arc::new(Doorway(cx.waker().clone())));
        work.as_mut().poll(&mut Context::from_waker(&waker))
    })
    .await
}

/// Lets no thread of the runtime into Python any more, and waits for those that are there. Called when Python ends.
#[pyfunction]
fn close(py: Python<'_>) {
    py.detach(|| *OPEN.write().unwrap_or_else(PoisonError::into_inner) = false);
}

/// Sees that [`close`] is called when Python ends.
pub(crate) fn close_at_exit(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let close = wrap_pyfunction!(close, module)?;
    module.py().import("atexit")?.call_method1("register", (close,))?;
    Ok(())
}

/// The work panicked; its message is on stderr.
pub(crate) fn ended_early() -> Failure {
    Failure::from(Error::new(ErrorKind::Internal, "the work ended without a result: a fault of this program"))
}
