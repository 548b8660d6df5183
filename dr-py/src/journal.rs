//! The runs of a journal, whichever process executes them: listed, followed and steered.

use std::{path::PathBuf, sync::Arc, time::Duration};

use dr_core::{
    decision::DecisionLog,
    engine::{Control, Engine, Followed, RunSummary},
    error::{Effect, Error, ErrorKind, Failure},
    journal::{self, Seq},
    model::{ApplicationId, OwnerId, RunId, StepId},
    plan::PlanDigest,
    step::StepRegistry,
    time::SharedClock,
    validation::FindingsDigest,
};
use futures::StreamExt as _;
use pyo3::{exceptions::PyStopAsyncIteration, prelude::*, types::PyMapping};
use tokio::sync::{Mutex, mpsc};

use crate::{
    decision::Decision,
    environment,
    event::Event,
    interpreter,
    outcome::{BeforeImages, Outcome, StepOutcome},
    platform::Platform,
    raise::Trouble,
    runtime::{awaited, hand_over, runtime, wait},
    store::{self, Store},
};

/// How often the journal is looked into for an answer, or for what happens.
const LOOK: Duration = Duration::from_millis(250);
/// Records that wait for whoever follows.
const AHEAD: usize = 64;

/// A journal, and an engine over it that knows no steps: it writes decisions down and runs nothing.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Journal {
    path: String,
    engine: Engine,
    clock: SharedClock,
}

impl Journal {
    fn over(
        journal: Arc<dyn journal::Journal>,
        path: String,
        clock: SharedClock,
        answer_within: Duration,
    ) -> Result<Self, Trouble> {
        let owner = OwnerId::of_process("python-journal").map_err(|e| Trouble::Value(e.to_string()))?;
        let engine = Engine::builder(journal, StepRegistry::new(), clock.clone())
            .owner(owner)
            .listen_every(LOOK)
            .answer_within(answer_within)
            .build();
        Ok(Self { path, engine, clock })
    }

    /// The journal that `dr.yaml` names.
    pub(crate) async fn of(platform: Arc<Platform>, answer_within: Duration) -> Result<Self, Trouble> {
        let store = Store::of(&platform, None)?;
        let journal = store.open_existing(&platform).await?;
        Self::over(journal, store.to_string(), platform.clock.clone(), answer_within)
    }
}

#[pymethods]
impl Journal {
    /// Opens the file of a journal that some process has written.
    ///
    /// A control waits `answer_within` for the process that holds the run. `variables`, by default those of the
    /// process, say whether the runs act on a lab, whose time is then read; else leases lapse by this machine's clock.
    #[staticmethod]
    #[pyo3(signature = (path, variables = None, *, answer_within = Duration::from_secs(30)))]
    fn open(
        py: Python<'_>,
        path: PathBuf,
        variables: Option<&Bound<'_, PyMapping>>,
        answer_within: Duration,
    ) -> PyResult<Self> {
        let variables = environment::variables(variables)?;
        let clock = environment::clock(&variables);
        let journal = wait(py, hand_over(store::existing(path.clone(), clock.clone())))??;
        Ok(Self::over(journal, path.display().to_string(), clock, answer_within)?)
    }

    /// Where it is: the file, or `s3://BUCKET/PREFIX`.
    #[getter]
    fn path(&self) -> &str {
        &self.path
    }

    /// Every run, oldest first; with `open`, those that have not ended.
    #[pyo3(signature = (*, open = false))]
    fn runs(&self, py: Python<'_>, open: bool) -> PyResult<Vec<RunInfo>> {
        let engine = self.engine.clone();
        let listed = wait(py, hand_over(async move { Ok(engine.runs().await?) }))??;
        let mut runs = Vec::new();
        for (_, summary) in listed {
            runs.push(RunInfo(summary.map_err(Trouble::from)?));
        }
        runs.retain(|run| !(open && run.0.state.is_end()));
        Ok(runs)
    }

    /// A run, to be watched and steered. Raises `DrError` when the journal has none of this name.
    fn run(&self, py: Python<'_>, id: &str) -> PyResult<JournalRun> {
        let id = RunId::new(id).map_err(|e| Trouble::Value(e.to_string()))?;
        let run = JournalRun { id, engine: self.engine.clone(), clock: self.clock.clone() };
        run.info(py)?;
        Ok(run)
    }

    /// The last decision about an application that a decider wrote down, the only one's by default: the answer to "why did
    /// you (not) fail over?". None when nobody has decided about it.
    #[pyo3(signature = (application = None))]
    fn decision(&self, py: Python<'_>, application: Option<String>) -> PyResult<Option<Decision>> {
        let (engine, clock) = (self.engine.clone(), self.clock.clone());
        let read = async move {
            let journal = Arc::clone(engine.journal());
            let application = match application {
                Some(application) => application,
                None => {
                    let logs: Vec<RunId> = journal.runs().await?.into_iter().filter(DecisionLog::is_one).collect();
                    match logs.as_slice() {
                        [] => return Ok(None),
                        [log] => log.as_str().split_once('/').map(|(_, name)| name.to_owned()).unwrap_or_default(),
                        _ => {
                            return Err(Trouble::Value(
                                "decisions about several applications are here: name one".into(),
                            ));
                        }
                    }
                }
            };
            let application = ApplicationId::new(application).map_err(|e| Trouble::Value(e.to_string()))?;
            let owner = OwnerId::of_process("python-journal").map_err(|e| Trouble::Value(e.to_string()))?;
            let mut log = DecisionLog::new(journal, &application, owner, clock)?;
            Ok(log.read().await?.last.as_ref().map(|last| Decision(last.decision.clone())))
        };
        Ok(wait(py, hand_over(read))??)
    }

    fn __repr__(&self) -> String {
        format!("<dr.Journal {}>", self.path)
    }
}

/// A run in a line, as it was when the journal was asked.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct RunInfo(RunSummary);

#[pymethods]
impl RunInfo {
    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.0.run.as_str()
    }

    /// What fails over.
    #[getter]
    fn application(&self) -> &str {
        self.0.application.as_str()
    }

    /// What it is for, in a sentence.
    #[getter]
    fn goal(&self) -> String {
        self.0.goal.to_string()
    }

    /// The digest of its plan.
    #[getter]
    fn plan(&self) -> String {
        self.0.plan.to_string()
    }

    /// `pending`, `running`, `waiting for approval`, `paused by failure`, `completed`, ….
    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.as_str()
    }

    /// Whether it has ended.
    #[getter]
    fn ended(&self) -> bool {
        self.0.state.is_end()
    }

    /// What it waits for, or how it ended, in a sentence; empty while it runs.
    #[getter]
    fn why(&self) -> &str {
        &self.0.why
    }

    /// When it was created, in UTC.
    #[getter]
    fn created<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::datetime(py, self.0.created)
    }

    /// When its last record was written, in UTC.
    #[getter]
    fn last<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::datetime(py, self.0.last)
    }

    /// How many records it has.
    #[getter]
    fn records(&self) -> u64 {
        self.0.records.0
    }

    /// The engine that took it up last.
    #[getter]
    fn owner(&self) -> Option<&str> {
        self.0.owner.as_ref().map(OwnerId::as_str)
    }

    fn __repr__(&self) -> String {
        format!("<dr.RunInfo {}: {}>", self.0.run, self.0.state)
    }
}

/// A run that some process executes, or none. Each control waits for the answer of whoever holds the run, and raises
/// `DrError` with the reason when it is refused.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct JournalRun {
    id: RunId,
    engine: Engine,
    clock: SharedClock,
}

impl JournalRun {
    fn summary(&self, py: Python<'_>) -> PyResult<RunSummary> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        Ok(wait(py, hand_over(async move { Ok(RunSummary::of(&engine.view(&id).await?)) }))??)
    }

    fn seen(&self, py: Python<'_>) -> PyResult<Outcome> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        Ok(wait(py, hand_over(async move { Ok(Outcome::from(&engine.view(&id).await?)) }))??)
    }

    fn control(&self, py: Python<'_>, control: Control) -> PyResult<()> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        Ok(wait(py, hand_over(async move { Ok(engine.control(&id, control).await?) }))??)
    }

    /// What a decision is about: the run's plan, unless the caller names the one that was looked at; and its findings.
    fn looked_at(&self, py: Python<'_>, named: Option<String>) -> PyResult<(PlanDigest, FindingsDigest)> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        let seen = hand_over(async move {
            let view = engine.view(&id).await?;
            Ok((view.plan().digest().clone(), view.findings_digest()))
        });
        let (plan, findings) = wait(py, seen)??;
        match named {
            Some(named) if named != plan.to_string() => {
                let message = format!("the decision is about plan {named}, but run {} runs plan {plan}", self.id);
                let refused = Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied);
                Err(Trouble::from(refused).into())
            }
            _ => Ok((plan, findings)),
        }
    }
}

fn named(step: String) -> Result<StepId, Trouble> {
    StepId::new(step).map_err(|e| Trouble::Value(e.to_string()))
}

#[pymethods]
impl JournalRun {
    /// Its name.
    #[getter]
    fn id(&self) -> &str {
        self.id.as_str()
    }

    /// How it stands now, in a line.
    #[getter]
    fn info(&self, py: Python<'_>) -> PyResult<RunInfo> {
        self.summary(py).map(RunInfo)
    }

    /// How far it is now: `running`, `paused by failure`, `completed`, ….
    #[getter]
    fn state(&self, py: Python<'_>) -> PyResult<&'static str> {
        Ok(self.summary(py)?.state.as_str())
    }

    /// Its steps as they are now, in the plan's order.
    #[getter]
    fn steps(&self, py: Python<'_>) -> PyResult<Vec<StepOutcome>> {
        Ok(self.seen(py)?.steps)
    }

    /// What stood before the run changed it, as far as it has, and before a decider warmed the standby for it: for
    /// `Spec.plan("failback", after=...)`.
    #[getter]
    fn before_images(&self, py: Python<'_>) -> PyResult<BeforeImages> {
        let (engine, id) = (self.engine.clone(), self.id.clone());
        let clock = self.clock.clone();
        let images = async move {
            let view = engine.view(&id).await?;
            let reader = OwnerId::of_process("python").map_err(|e| Trouble::Value(e.to_string()))?;
            let journal = Arc::clone(engine.journal());
            let mut log = DecisionLog::new(journal, view.plan().application(), reader, clock)?;
            Ok::<_, Trouble>(log.before_images(&view).await?)
        };
        Ok(BeforeImages(wait(py, hand_over(images))??))
    }

    /// What happens in it, from after the record `after` and then as it happens, until it has ended: to be iterated over
    /// with `for` or `async for`.
    #[pyo3(signature = (after = 0))]
    fn follow(&self, after: u64) -> PyResult<Follow> {
        Ok(Follow::begin(&self.engine, self.id.clone(), Seq(after))?)
    }

    /// Begins nothing new; what is under way ends.
    #[pyo3(signature = (who, why = String::new()))]
    fn pause(&self, py: Python<'_>, who: String, why: String) -> PyResult<()> {
        self.control(py, Control::Pause { who, why })
    }

    /// Ends such a pause.
    #[pyo3(signature = (who, why = String::new()))]
    fn resume(&self, py: Python<'_>, who: String, why: String) -> PyResult<()> {
        self.control(py, Control::Resume { who, why })
    }

    /// Opens the plan's gates. With `plan`, the digest of the plan that was looked at, only when the run's is that one.
    #[pyo3(signature = (who, why = String::new(), plan = None))]
    fn approve(&self, py: Python<'_>, who: String, why: String, plan: Option<String>) -> PyResult<()> {
        let (plan, findings) = self.looked_at(py, plan)?;
        self.control(py, Control::Approve { plan, findings: Some(findings), who, why })
    }

    /// Refuses the plan's gates: what was done is taken back, and the run ends.
    #[pyo3(signature = (who, why = String::new(), plan = None))]
    fn reject(&self, py: Python<'_>, who: String, why: String, plan: Option<String>) -> PyResult<()> {
        let (plan, findings) = self.looked_at(py, plan)?;
        self.control(py, Control::Reject { plan, findings: Some(findings), who, why })
    }

    /// Tries a failed step, or every failed step of a group, again.
    #[pyo3(signature = (step, who, why = String::new()))]
    fn retry(&self, py: Python<'_>, step: String, who: String, why: String) -> PyResult<()> {
        self.control(py, Control::Retry { step: named(step)?, who, why })
    }

    /// Goes on without a step or group that has not begun or has failed; or leaves as it is what could not be taken back.
    #[pyo3(signature = (step, who, why = String::new()))]
    fn skip(&self, py: Python<'_>, step: String, who: String, why: String) -> PyResult<()> {
        self.control(py, Control::Skip { step: named(step)?, who, why })
    }

    /// Lets the plan's rules for ungraceful mode hold from here on: for the whole run, or for one step or group of it.
    #[pyo3(signature = (who, why = String::new(), step = None))]
    fn ungraceful(&self, py: Python<'_>, who: String, why: String, step: Option<String>) -> PyResult<()> {
        self.control(py, Control::Ungraceful { step: step.map(named).transpose()?, who, why })
    }

    /// Ends the run. With `compensate`, what was done is taken back, unless it is past the point of no return.
    #[pyo3(signature = (who, why = String::new(), compensate = true))]
    fn cancel(&self, py: Python<'_>, who: String, why: String, compensate: bool) -> PyResult<()> {
        self.control(py, Control::Cancel { who, why, compensate })
    }

    fn __repr__(&self) -> String {
        format!("<dr.JournalRun {}>", self.id)
    }
}

/// What happens in a run that somebody follows.
#[pyclass(frozen, module = "dr")]
#[derive(Debug)]
pub(crate) struct Follow {
    run: RunId,
    events: Mutex<mpsc::Receiver<Result<Event, Failure>>>,
}

impl Follow {
    fn begin(engine: &Engine, run: RunId, after: Seq) -> Result<Self, Trouble> {
        let mut told = engine.follow(&run, after);
        let (sender, events) = mpsc::channel(AHEAD);
        runtime()?.spawn(async move {
            loop {
                // Once nobody listens any more, nobody looks.
                let next = tokio::select! {
                    biased;
                    () = sender.closed() => return,
                    next = told.next() => next,
                };
                let events: Vec<Result<Event, Failure>> = match next {
                    None => return,
                    Some(Ok(Followed { events, .. })) => events.into_iter().map(|event| Ok(event.into())).collect(),
                    Some(Err(error)) => vec![Err(error.into())],
                };
                for event in events {
                    if sender.send(event).await.is_err() {
                        return;
                    }
                }
            }
        });
        Ok(Self { run, events: Mutex::new(events) })
    }

    async fn next(&self) -> Result<Option<Event>, Trouble> {
        Ok(self.events.lock().await.recv().await.transpose()?)
    }
}

#[pymethods]
impl Follow {
    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Event>> {
        Ok(wait(py, self.next())??)
    }

    fn __aiter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.call_method0("_anext")
    }

    /// The next event, to be awaited.
    async fn _anext(&self) -> PyResult<Event> {
        match awaited(self.next()).await? {
            Some(event) => Ok(event),
            None => Err(PyStopAsyncIteration::new_err(())),
        }
    }

    fn __repr__(&self) -> String {
        format!("<dr.Follow of run {}>", self.run)
    }
}
