//! What is held of the regions, as it changes, as Python hears it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use dr_core::{
    decision::{Decider, Plans, Policy},
    detect::{self, Opinion, Standings, Transition},
    engine::{Engine, NewRun},
    error::{Effect, Error, ErrorKind, Failure},
    event::NullSink,
    journal::{Journal, MemoryJournal},
    model::{OwnerId, RunId},
    plan::Goal,
    step::StepRegistry,
};
use pyo3::{exceptions::PyStopAsyncIteration, prelude::*};
use tokio::sync::{Mutex, mpsc, watch};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    decision::Decision,
    interpreter,
    platform::Platform,
    raise::{Trouble, name},
    runtime::{awaited, ended_early, hand_over, runtime, wait},
    store::Store,
};

/// One observer's one check, as it counted in a verdict.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Evidence {
    /// Who looked.
    observer: String,
    /// With which probe.
    probe: String,
    /// `infrastructure` or `transaction`.
    kind: String,
    /// `healthy`, `down` or `unknown`.
    opinion: String,
    /// How many readings in a row bear that out.
    streak: u32,
    /// What the last look said.
    last: String,
    /// When that was, from the clock's start.
    at: Duration,
}

impl From<&detect::Evidence> for Evidence {
    fn from(evidence: &detect::Evidence) -> Self {
        Self {
            observer: evidence.vantage.to_string(),
            probe: evidence.probe.to_string(),
            kind: name(&evidence.kind),
            opinion: name(&evidence.opinion),
            streak: evidence.streak,
            last: evidence.last.clone(),
            at: evidence.at.since_origin(),
        }
    }
}

#[pymethods]
impl Evidence {
    fn __repr__(&self) -> String {
        format!("<dr.Evidence {} by {}: {}, {}>", self.probe, self.observer, self.opinion, self.last)
    }
}

/// A change of what is held of a region, and why.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Verdict(Transition);

#[pymethods]
impl Verdict {
    /// The region.
    #[getter]
    fn region(&self) -> &str {
        self.0.region.as_str()
    }

    /// `healthy`, `degraded`, `suspect`, `unhealthy` or `unknown`.
    #[getter]
    fn verdict(&self) -> &'static str {
        self.0.to.as_str()
    }

    /// What it was before.
    #[getter]
    fn was(&self) -> &'static str {
        self.0.from.as_str()
    }

    /// Why, in a sentence.
    #[getter]
    fn why(&self) -> String {
        self.0.to_string()
    }

    /// Whether its kinds of check disagree: transactions fail while infrastructure checks pass, or the reverse.
    #[getter]
    fn gray(&self) -> bool {
        self.0.why.gray.is_some()
    }

    /// What each observer holds of the region: `healthy`, `partial`, `suspect`, `gray`, `down` or `unknown`.
    #[getter]
    fn observers(&self) -> BTreeMap<String, String> {
        let opinion = |(observer, opinion): &(_, Opinion)| (ToString::to_string(observer), name(opinion));
        self.0.why.observers.iter().map(opinion).collect()
    }

    /// The readings behind it.
    #[getter]
    fn evidence(&self) -> Vec<Evidence> {
        self.0.why.evidence.iter().map(Evidence::from).collect()
    }

    /// About when, in UTC, by the clock of the world that is watched.
    #[getter]
    fn at<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::datetime(py, self.0.wall)
    }

    /// When, from that clock's start: for measuring.
    #[getter]
    fn elapsed(&self) -> Duration {
        self.0.at.since_origin()
    }

    /// Everything about it, as one JSON object.
    fn json(&self) -> String {
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    fn __str__(&self) -> String {
        self.why()
    }

    fn __repr__(&self) -> String {
        format!("<dr.Verdict {} {} (was {})>", self.region(), self.verdict(), self.was())
    }
}

/// A watch that goes on until it is closed, forgotten, or cancelled by asyncio. Iterate over it, with `for` or `async for`, for
/// each change of a verdict.
#[pyclass(frozen, module = "dr")]
#[derive(Debug)]
pub(crate) struct Watch {
    platform: Arc<Platform>,
    regions: Option<BTreeSet<String>>,
    told: Mutex<mpsc::UnboundedReceiver<Transition>>,
    standings: watch::Receiver<Standings>,
    failed: watch::Receiver<Option<Failure>>,
    stop: CancellationToken,
    _stops: DropGuard,
}

impl Watch {
    pub(crate) fn begin(platform: Arc<Platform>, regions: Option<BTreeSet<String>>) -> Result<Self, Trouble> {
        for region in regions.iter().flatten() {
            platform.region(region)?;
        }
        let (tell, told) = mpsc::unbounded_channel();
        let watching = detect::Watch::of(&platform.spec, &platform.clock)?.telling(tell);
        let (sender, standings) = watching.standings();
        let (fail, failed) = watch::channel(None);
        let stop = CancellationToken::new();
        let stopping = stop.clone();
        runtime()?.spawn(async move {
            let work = tokio::spawn(watching.run(Arc::new(NullSink), sender, stopping));
            let ended = work.await;
            let failure = match ended {
                Ok(Ok(())) => None,
                Ok(Err(error)) => Some(Failure::from(error)),
                Err(_) => Some(ended_early()),
            };
            fail.send_replace(failure);
        });
        let told = Mutex::new(told);
        Ok(Self { platform, regions, told, standings, failed, stop: stop.clone(), _stops: stop.drop_guard() })
    }

    /// The next change; none when the watch has been closed. Raises what ended it otherwise.
    async fn next(&self) -> Result<Option<Verdict>, Trouble> {
        let mut told = self.told.lock().await;
        loop {
            let next = tokio::select! {
                biased;
                () = self.stop.cancelled() => None,
                next = told.recv() => next,
            };
            match next {
                Some(change) if self.wanted(change.region.as_str()) => return Ok(Some(Verdict(change))),
                Some(_) => {}
                None if self.stop.is_cancelled() => return Ok(None),
                None => {
                    let failure = self.failed.borrow().clone();
                    return failure.map_or(Ok(None), |failure| Err(failure.into()));
                }
            }
        }
    }

    fn wanted(&self, region: &str) -> bool {
        self.regions.as_ref().is_none_or(|wanted| wanted.contains(region))
    }
}

#[pymethods]
impl Watch {
    /// What is held of each region now: `healthy`, `degraded`, `suspect`, `unhealthy` or `unknown`, by region.
    #[getter]
    fn verdicts(&self) -> BTreeMap<String, &'static str> {
        let all = self.standings.borrow();
        let wanted = all.iter().filter(|(region, _)| self.wanted(region.as_str()));
        wanted.map(|(region, standing)| (region.to_string(), standing.verdict.as_str())).collect()
    }

    /// What the policy of dr.yaml makes of this moment: whether it would act, ask or hold, and why. Nothing is started and
    /// nothing written.
    ///
    /// `signals` are the booleans that its conditions name. `journal` is the file whose runs and decisions count: the kill
    /// switch, the block period, a run that is open; by default that of dr.yaml. Where there is none yet, none do.
    #[pyo3(signature = (signals = None, journal = None))]
    fn decide(
        &self,
        py: Python<'_>,
        signals: Option<BTreeMap<String, bool>>,
        journal: Option<std::path::PathBuf>,
    ) -> PyResult<Decision> {
        let (platform, standings) = (Arc::clone(&self.platform), self.standings.borrow().clone());
        let signals = signals.unwrap_or_default();
        Ok(wait(py, hand_over(async move { consider(&platform, standings, signals, journal).await }))??)
    }

    /// Ends the watch. Who iterates over it comes to the end.
    fn close(&self) {
        self.stop.cancel();
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    #[pyo3(signature = (*_args))]
    fn __exit__(&self, _args: &Bound<'_, pyo3::types::PyTuple>) {
        self.stop.cancel();
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__(&self, py: Python<'_>) -> PyResult<Option<Verdict>> {
        Ok(wait(py, self.next())??)
    }

    fn __aiter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __anext__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.call_method0("_anext")
    }

    /// The next change, to be awaited. Cancelled, it ends the watch, as it would end an async generator.
    async fn _anext(&self) -> PyResult<Verdict> {
        let ends = self.stop.clone().drop_guard();
        let next = awaited(self.next()).await;
        // It was waited for to the end: the watch goes on.
        let _ = ends.disarm();
        match next? {
            Some(verdict) => Ok(verdict),
            None => Err(PyStopAsyncIteration::new_err(())),
        }
    }

    fn __repr__(&self) -> String {
        let verdicts: Vec<String> =
            self.verdicts().into_iter().map(|(region, verdict)| format!("{region} {verdict}")).collect();
        format!("<dr.Watch {}>", verdicts.join(", "))
    }
}

/// Plans for a decider that carries nothing out.
#[derive(Debug)]
struct NoPlans;

#[async_trait]
impl Plans for NoPlans {
    async fn run_for(&self, _: RunId, _: &Goal) -> dr_core::error::Result<NewRun> {
        let message = "nothing is carried out here: plan and run with Spec.plan";
        Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied))
    }
}

async fn consider(
    platform: &Platform,
    standings: Standings,
    signals: BTreeMap<String, bool>,
    journal: Option<std::path::PathBuf>,
) -> Result<Decision, Trouble> {
    let clock = platform.clock.clone();
    let journal: Arc<dyn Journal> = match Store::of(platform, journal)? {
        // Opening would make the file: a journal that is not there has nothing to say.
        Store::File(path) if !path.is_file() => Arc::new(MemoryJournal::new(clock.clone())),
        store => store.open(platform).await?,
    };
    let policy = Policy::of(&platform.spec).map_err(Error::from)?;
    let steps = StepRegistry::new();
    let owner = OwnerId::of_process("python-decide").map_err(|e| Trouble::Value(e.to_string()))?;
    let engine = Engine::builder(journal, steps.clone(), clock.clone()).owner(owner.clone()).build();
    let plans = Arc::new(NoPlans);
    let mut decider = Decider::new(policy, engine, &steps, plans, owner, clock.clone(), Arc::new(NullSink))?.dry();
    for (signal, value) in signals {
        decider.facts.tell(&signal, value, "", clock.monotonic());
    }
    Ok(Decision(decider.consider(&standings).await?.decision))
}
