//! A run under way, as Python watches it.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use dr_core::{
    engine::{Approver, Control, Engine, NewRun, OnPause, RunView},
    error::{Effect, Error, ErrorKind, Failure},
    event::{self, EventSink},
    model::{OwnerId, RunId},
    planner,
};
use pyo3::{exceptions::PyStopAsyncIteration, prelude::*};
use tokio::sync::{Mutex, mpsc, watch};

use crate::{
    event::Event,
    outcome::{BeforeImages, Outcome},
    platform::Platform,
    raise::Trouble,
    runtime::{awaited, ended_early, hand_over, runtime, wait},
    store::Store,
};

/// How long a lease lasts without being renewed: long enough for a stalled machine, short enough to wait out.
const LEASE: Duration = Duration::from_secs(60);

/// What is to be done with a run.
pub(crate) enum Start {
    /// It is new.
    Create(Box<NewRun>),
    /// Another process began it.
    TakeUp,
}

type Ended = Result<RunView, Failure>;

/// What the watcher is told.
#[derive(Debug)]
enum Told {
    Event(event::Event),
    End,
}

/// Passes events on. Whoever has stopped listening is no reason to stop.
#[derive(Clone, Debug)]
struct Feed(mpsc::UnboundedSender<Told>);

impl EventSink for Feed {
    fn emit(&self, event: &event::Event) {
        let _ = self.0.send(Told::Event(event.clone()));
    }
}

#[derive(Debug)]
struct Shared {
    events: Mutex<mpsc::UnboundedReceiver<Told>>,
    engine: watch::Receiver<Option<Engine>>,
    ended: OnceLock<Ended>,
}

/// A run. Iterate over it, with `for` or `async for`, for what happens; its end is in `outcome`.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Run {
    id: RunId,
    journal: Store,
    shared: Arc<Shared>,
}

impl Run {
    pub(crate) fn start(
        platform: Arc<Platform>,
        journal: Option<PathBuf>,
        approver: Option<Arc<dyn Approver>>,
        id: RunId,
        start: Start,
    ) -> Result<Self, Trouble> {
        let journal = Store::of(&platform, journal)?;
        let (sender, events) = mpsc::unbounded_channel();
        let (engine_made, engine) = watch::channel(None);
        let shared = Arc::new(Shared { events: Mutex::new(events), engine, ended: OnceLock::new() });
        let run = Self { id: id.clone(), journal: journal.clone(), shared: Arc::clone(&shared) };
        let runtime = runtime()?;
        runtime.spawn(async move {
            let feed = Feed(sender.clone());
            let work = tokio::spawn(async move {
                let engine = build_engine(&platform, journal, approver, feed).await?;
                if let Start::Create(new) = start {
                    engine.create(*new).await?;
                }
                // Those who wait for it may steer the run from here on.
                engine_made.send_replace(Some(engine.clone()));
                Ok(engine.run(&id).await?)
            });
            let ended: Result<RunView, Trouble> = work.await.unwrap_or_else(|_| Err(ended_early().into()));
            let ended = ended.map_err(|trouble| match trouble {
                Trouble::Failure(failure) => failure,
                // Nothing else can come of an engine; its words are kept all the same.
                other => Failure::from(Error::new(ErrorKind::Internal, format!("{other:?}"))),
            });
            let _ = shared.ended.set(ended);
            let _ = sender.send(Told::End);
        });
        Ok(run)
    }

    /// What the run changed.
    ///
    /// # Errors
    ///
    /// When the run has not ended.
    pub(crate) fn images(&self) -> Result<planner::BeforeImages, Trouble> {
        match self.shared.ended.get() {
            Some(Ok(view)) => Ok(view.before_images()),
            Some(Err(failure)) => Err(failure.clone().into()),
            None => Err(Error::new(ErrorKind::PreconditionFailed, format!("run {} has not ended", self.id))
                .with_effect(Effect::NotApplied)
                .into()),
        }
    }
}

async fn build_engine(
    platform: &Platform,
    journal: Store,
    approver: Option<Arc<dyn Approver>>,
    feed: Feed,
) -> Result<Engine, Trouble> {
    let acting = platform.acting().await?;
    let journal = journal.open(platform).await?;
    let owner = OwnerId::of_process("python").map_err(|e| Trouble::Value(e.to_string()))?;
    let builder = Engine::builder(journal, acting.steps.clone(), platform.clock.clone())
        .events(Arc::new(feed))
        .owner(owner)
        .lease(LEASE)
        .patience(LEASE * 3)
        .on_pause(OnPause::Return);
    Ok(match approver {
        Some(approver) => builder.approver(approver),
        None => builder,
    }
    .build())
}

impl Shared {
    /// The next event; none when the run has ended. Nothing is lost when the wait is given up.
    async fn next(&self) -> Option<Event> {
        let mut events = self.events.lock().await;
        match events.recv().await {
            Some(Told::Event(event)) => Some(event.into()),
            Some(Told::End) | None => {
                events.close();
                None
            }
        }
    }

    /// The end of the run, raised when there was none.
    fn ended(&self) -> Result<(), Trouble> {
        match self.ended.get() {
            Some(Err(failure)) => Err(failure.clone().into()),
            _ => Ok(()),
        }
    }

    async fn control(self: Arc<Self>, run: RunId, control: Control) -> Result<(), Trouble> {
        let mut made = self.engine.clone();
        let engine = made.wait_for(Option::is_some).await.map(|engine| engine.clone()).ok().flatten();
        match engine {
            Some(engine) => Ok(engine.control(&run, control).await?),
            None => self.ended(),
        }
    }
}

#[pymethods]
impl Run {
    /// Its name, by which it can be resumed.
    #[getter]
    fn id(&self) -> &str {
        self.id.as_str()
    }

    /// Where it is written down: the file, or `s3://BUCKET/PREFIX`.
    #[getter]
    fn journal(&self) -> String {
        self.journal.to_string()
    }

    /// How it ended; none while it is under way. Raises what made it fail before it could begin.
    #[getter]
    fn outcome(&self) -> Result<Option<Outcome>, Trouble> {
        self.shared.ended()?;
        Ok(self.shared.ended.get().and_then(|ended| ended.as_ref().ok()).map(Outcome::from))
    }

    /// What stood before the run changed it. Raises `DrError` while it is under way.
    #[getter]
    fn before_images(&self) -> Result<BeforeImages, Trouble> {
        self.images().map(BeforeImages)
    }

    /// Waits for the end. Events that nobody has taken yet are passed over.
    fn wait(&self, py: Python<'_>) -> PyResult<Outcome> {
        while self.__next__(py)?.is_some() {}
        self.outcome()?.ok_or_else(|| Trouble::from(ended_early()).into())
    }

    /// Ends the run. With `compensate`, what was done is taken back, unless it is past the point of no return.
    #[pyo3(signature = (who, why, compensate = true))]
    fn cancel(&self, py: Python<'_>, who: String, why: String, compensate: bool) -> PyResult<()> {
        let control = Control::Cancel { who, why, compensate };
        Ok(wait(py, hand_over(Arc::clone(&self.shared).control(self.id.clone(), control)))??)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        let shared = Arc::clone(&self.shared);
        match wait(py, async move { shared.next().await })? {
            Some(event) => Ok(Some(event)),
            None => Ok(self.shared.ended().map(|()| None)?),
        }
    }

    fn __aiter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.call_method0("_anext")
    }

    /// The next event, to be awaited.
    async fn _anext(&self) -> PyResult<Event> {
        match awaited(self.shared.next()).await {
            Some(event) => Ok(event),
            None => {
                self.shared.ended()?;
                Err(PyStopAsyncIteration::new_err(()))
            }
        }
    }

    fn __repr__(&self) -> String {
        let state = match self.shared.ended.get() {
            None => "under way".to_owned(),
            Some(Ok(view)) => view.state().to_string(),
            Some(Err(failure)) => failure.to_string(),
        };
        format!("<dr.Run {}: {state}>", self.id)
    }
}
