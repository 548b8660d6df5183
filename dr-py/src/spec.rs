//! A `dr.yaml` that was read, as Python holds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use dr_core::{
    model::RunId,
    plan::{Goal, GoalKind, Inventory, Mode},
    planner::{self, PlanOptions, Planner},
};
use pyo3::{exceptions::PyTypeError, prelude::*, types::PyMapping};

use crate::{
    approve::approver,
    environment,
    finding::Finding,
    interpreter,
    journal::Journal,
    outcome::BeforeImages,
    plan::Plan,
    platform::Platform,
    raise::{Trouble, name},
    run::{Run, Start},
    runtime::{awaited, hand_over, wait},
    watch::Watch,
};

/// A region.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Region {
    /// Its provider's name.
    id: String,
    /// `active`, `warm-standby`, `pilot-light` or `witness`.
    role: String,
    /// Base URLs by name.
    endpoints: BTreeMap<String, String>,
}

#[pymethods]
impl Region {
    fn __repr__(&self) -> String {
        format!("<dr.Region {} ({})>", self.id, self.role)
    }
}

/// What the business asked for.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Objectives {
    /// The longest that clients may go without.
    rto: Duration,
    /// The oldest write that may be lost.
    rpo: Duration,
}

#[pymethods]
impl Objectives {
    fn __repr__(&self) -> String {
        format!("<dr.Objectives RTO {} s, RPO {} s>", self.rto.as_secs(), self.rpo.as_secs())
    }
}

/// What has to be moved from region to region.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// Its name.
    id: String,
    /// The kind, such as `aws.aurora_global`.
    kind: String,
    /// The resources whose steps come before, within a phase.
    depends_on: Vec<String>,
}

#[pymethods]
impl Resource {
    fn __repr__(&self) -> String {
        format!("<dr.Resource {} ({})>", self.id, self.kind)
    }
}

/// A service, and how large it is.
#[pyclass(frozen, get_all, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// Its name.
    id: String,
    /// Where it runs in a cluster.
    namespace: String,
    /// Replicas while it stands by.
    standby: u32,
    /// Replicas when it carries everything.
    full: u32,
}

#[pymethods]
impl Service {
    fn __repr__(&self) -> String {
        format!("<dr.Service {} {} -> {}>", self.id, self.standby, self.full)
    }
}

/// A platform, as its dr.yaml describes it. Made by `load`.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Spec(pub(crate) Arc<Platform>);

/// Reads a dr.yaml. Touches nothing but the file.
///
/// `variables` are what `${NAME}` means in it, the environment by default. Where they are those of a lab (`read_env`),
/// time is the lab's and so are the credentials; elsewhere credentials are found as the AWS CLI finds them.
///
/// Raises `SpecError` with everything that is wrong with the file.
#[pyfunction]
#[pyo3(signature = (path, variables = None))]
pub(crate) fn load(py: Python<'_>, path: PathBuf, variables: Option<&Bound<'_, PyMapping>>) -> PyResult<Spec> {
    let variables = environment::variables(variables)?;
    let platform = py.detach(|| Platform::load(&path, variables))?;
    Ok(Spec(Arc::new(platform)))
}

#[pymethods]
impl Spec {
    /// The application that fails over as one.
    #[getter]
    fn application(&self) -> &str {
        self.0.spec.application.as_str()
    }

    /// The base URL that clients use.
    #[getter]
    fn endpoint(&self) -> &str {
        &self.0.spec.endpoint
    }

    /// What the business asked for.
    #[getter]
    fn objectives(&self) -> Objectives {
        let objectives = self.0.topology.objectives();
        Objectives { rto: objectives.rto, rpo: objectives.rpo }
    }

    /// The regions, as written.
    #[getter]
    fn regions(&self) -> Vec<Region> {
        let region = |region: &dr_core::spec::RegionSpec| Region {
            id: region.id.to_string(),
            role: region.role.to_string(),
            endpoints: region.endpoints.clone(),
        };
        self.0.spec.regions.iter().map(region).collect()
    }

    /// The resources, each after those it depends on.
    #[getter]
    fn resources(&self) -> Vec<Resource> {
        let resource = |resource: &dr_core::model::Resource| Resource {
            id: resource.id.to_string(),
            kind: resource.kind.to_string(),
            depends_on: resource.depends_on.iter().map(ToString::to_string).collect(),
        };
        self.0.topology.resources().iter().map(resource).collect()
    }

    /// The services, as written.
    #[getter]
    fn services(&self) -> Vec<Service> {
        let service = |service: &dr_core::spec::ServiceSpec| Service {
            id: service.id.to_string(),
            namespace: service.namespace.clone(),
            standby: service.replicas.standby,
            full: service.replicas.full,
        };
        self.0.spec.services.iter().map(service).collect()
    }

    /// The JSON Schema of dr.yaml, with the kinds of resource that this package knows.
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        interpreter::object(py, &self.0.schema)
    }

    /// Looks, now, whether everything that a failover will need is there. Worst first; empty when all is well.
    fn findings(&self, py: Python<'_>) -> PyResult<Vec<Finding>> {
        let platform = Arc::clone(&self.0);
        Ok(wait(py, hand_over(look(platform)))??)
    }

    /// `findings`, to be awaited.
    async fn findings_async(&self) -> Result<Vec<Finding>, Trouble> {
        awaited(hand_over(look(Arc::clone(&self.0)))).await
    }

    /// Surveys the world and makes a plan for it as it is.
    ///
    /// `goal` is `failover`, `switchover`, `failback`, `drill` or `rehearsal`; `mode` is `graceful` (both regions answer,
    /// nothing may be lost) or `ungraceful`, by default for a failover alone. Regions are those of dr.yaml by default, and
    /// swapped for a failback. `after` is the run whose changes a failback puts back. With `survey=False` nothing is
    /// asked, and the plan is what can be known from the file.
    ///
    /// Raises `PlanError` with every reason.
    #[pyo3(signature = (goal = "failover", from_ = None, to = None, mode = None, *, after = None, survey = true))]
    #[expect(clippy::too_many_arguments, reason = "keyword arguments of Python")]
    fn plan(
        &self,
        py: Python<'_>,
        goal: &str,
        from_: Option<&str>,
        to: Option<&str>,
        mode: Option<&str>,
        after: Option<&Bound<'_, PyAny>>,
        survey: bool,
    ) -> PyResult<Plan> {
        let (goal, before) = (self.goal(goal, from_, to, mode)?, before(after)?);
        Ok(wait(py, hand_over(make(Arc::clone(&self.0), goal, before, survey)))??)
    }

    /// `plan`, to be awaited.
    #[pyo3(signature = (goal = String::from("failover"), from_ = None, to = None, mode = None, *, after = None, survey = true))]
    async fn plan_async(
        &self,
        goal: String,
        from_: Option<String>,
        to: Option<String>,
        mode: Option<String>,
        after: Option<Py<PyAny>>,
        survey: bool,
    ) -> PyResult<Plan> {
        let goal = self.goal(&goal, from_.as_deref(), to.as_deref(), mode.as_deref())?;
        let before = Python::attach(|py| before(after.as_ref().map(|after| after.bind(py))))?;
        Ok(awaited(hand_over(make(Arc::clone(&self.0), goal, before, survey))).await?)
    }

    /// Begins to watch the regions, as dr.yaml says: every observer's probes, from this machine, and a quorum for each region.
    /// Iterate over the watch, with `for` or `async for`, for each change of a verdict; with `regions`, of these alone.
    #[pyo3(signature = (regions = None))]
    fn watch(&self, regions: Option<BTreeSet<String>>) -> Result<Watch, Trouble> {
        Watch::begin(Arc::clone(&self.0), regions)
    }

    /// Takes up a run that another process began and did not end.
    ///
    /// Every step looks at the world before it acts, so nothing is done twice. The arguments are those of `Plan.run`.
    #[pyo3(signature = (run, journal = None, approve = None))]
    fn resume(&self, run: &str, journal: Option<PathBuf>, approve: Option<&Bound<'_, PyAny>>) -> PyResult<Run> {
        let run = RunId::new(run).map_err(|e| Trouble::Value(e.to_string()))?;
        Ok(Run::start(Arc::clone(&self.0), journal, approver(approve)?, run, Start::TakeUp)?)
    }

    /// The journal that dr.yaml names, in a file or in S3, to look at runs that other processes execute and to decide on them.
    ///
    /// A control waits `answer_within` for the process that holds the run. Raises `DrError` when the file is not there.
    #[pyo3(signature = (*, answer_within = Duration::from_secs(30)))]
    fn journal(&self, py: Python<'_>, answer_within: Duration) -> PyResult<Journal> {
        Ok(wait(py, hand_over(Journal::of(Arc::clone(&self.0), answer_within)))??)
    }

    fn __repr__(&self) -> String {
        let regions: Vec<String> =
            self.0.spec.regions.iter().map(|region| format!("{} ({})", region.id, region.role)).collect();
        format!("<dr.Spec {}: {}>", self.0.spec.application, regions.join(", "))
    }
}

impl Spec {
    fn goal(&self, goal: &str, from: Option<&str>, to: Option<&str>, mode: Option<&str>) -> Result<Goal, Trouble> {
        let kind = word(goal, "goal", &GOALS)?;
        let mode = match mode {
            Some(mode) => word(mode, "mode", &[Mode::Graceful, Mode::Ungraceful])?,
            None if kind == GoalKind::Failover => Mode::Ungraceful,
            None => Mode::Graceful,
        };
        let (mut leave, mut enter) = (self.0.active()?, self.0.standby()?);
        if kind == GoalKind::Failback {
            std::mem::swap(&mut leave, &mut enter);
        }
        let from = from.map_or(Ok(leave), |name| self.0.region(name))?;
        let to = to.map_or(Ok(enter), |name| self.0.region(name))?;
        if from == to {
            return Err(Trouble::Value(format!("a plan leads from one region to another, not from {from} to itself")));
        }
        Ok(Goal { kind, from, to, mode })
    }
}

const GOALS: [GoalKind; 5] =
    [GoalKind::Failover, GoalKind::Switchover, GoalKind::Failback, GoalKind::Drill, GoalKind::Rehearsal];

/// The variant that is written so.
fn word<T: Copy + serde::Serialize>(written: &str, what: &str, known: &[T]) -> Result<T, Trouble> {
    known.iter().copied().find(|variant| name(variant) == written).ok_or_else(|| {
        let known: Vec<String> = known.iter().map(name).collect();
        Trouble::Value(format!("no {what} is called {written:?}: there are {}", known.join(", ")))
    })
}

/// What `after=` means: a run that has ended, or its before-images.
fn before(after: Option<&Bound<'_, PyAny>>) -> PyResult<planner::BeforeImages> {
    let Some(after) = after else { return Ok(planner::BeforeImages::default()) };
    if let Ok(images) = after.cast::<BeforeImages>() {
        return Ok(images.get().0.clone());
    }
    match after.cast::<Run>() {
        Ok(run) => Ok(run.get().images()?),
        Err(_) => Err(PyTypeError::new_err("after is a dr.Run that has ended, or the before_images of one")),
    }
}

async fn look(platform: Arc<Platform>) -> Result<Vec<Finding>, Trouble> {
    Ok(platform.preflight().await?.iter().map(Finding::from).collect())
}

async fn make(
    platform: Arc<Platform>,
    goal: Goal,
    before: planner::BeforeImages,
    survey: bool,
) -> Result<Plan, Trouble> {
    let acting = platform.acting().await?;
    let inventory = match survey {
        true => planner::survey(&platform.topology, &acting.drivers, &platform.clock).await,
        false => Inventory::default(),
    };
    // A run from Python ends with its last step: nobody watches the application's health for it.
    let options = PlanOptions { recovery: None, ..PlanOptions::of(&platform.spec, goal.mode) };
    let planner = Planner::new(&platform.topology, &acting.drivers);
    let plan = planner.plan(goal, &inventory, &before, &options)?;
    Ok(Plan::new(platform, plan, inventory))
}
