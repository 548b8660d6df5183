//! A plan, as Python holds it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use dr_core::{
    engine::{Approver, AutoApprove, NewRun, new_run_id},
    error::{Effect, Error, ErrorKind},
    lint::{self, LintInput, lint},
    plan::{self, GoalKind, Inventory, to_dot, to_text, to_timeline_text},
    spec::Approval,
};
use pyo3::prelude::*;

use crate::{
    approve::approver,
    finding::Finding,
    platform::Platform,
    raise::Trouble,
    run::{Run, Start},
    step::Step,
};

/// Everything that a run will do. Immutable. Made by `Spec.plan`.
#[pyclass(frozen, module = "dr")]
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    platform: Arc<Platform>,
    plan: Arc<plan::Plan>,
    inventory: Arc<Inventory>,
    lint: Arc<lint::Report>,
}

impl Plan {
    /// Takes a plan and judges it.
    pub(crate) fn new(platform: Arc<Platform>, plan: plan::Plan, inventory: Inventory) -> Self {
        let today = platform.clock.wall().date();
        let input = LintInput::new(&plan, &platform.topology, &inventory).waived(&platform.spec.waivers, today);
        let report = lint(&input);
        Self { platform, plan: Arc::new(plan), inventory: Arc::new(inventory), lint: Arc::new(report) }
    }

    /// Who approves where dr.yaml asks for nobody: dr.yaml.
    fn by_itself(&self) -> Option<Arc<dyn Approver>> {
        let approvals = &self.platform.spec.approvals;
        let (asked, key) = match self.plan.goal().kind {
            GoalKind::Failback => (approvals.failback, "approvals.failback"),
            GoalKind::Drill | GoalKind::Rehearsal => (approvals.drills, "approvals.drills"),
            GoalKind::Failover | GoalKind::Switchover | GoalKind::Prewarm => {
                (approvals.point_of_no_return, "approvals.point_of_no_return")
            }
        };
        let why = format!("{key} is automatic");
        (asked == Approval::Automatic).then(|| Arc::new(AutoApprove::new("dr.yaml", why)) as Arc<dyn Approver>)
    }
}

#[pymethods]
impl Plan {
    /// The plan for a person: phases in order, a line a step, the point of no return marked.
    fn text(&self) -> String {
        to_text(&self.plan)
    }

    /// The plan laid out in time, as text.
    fn timeline(&self) -> String {
        to_timeline_text(&self.plan)
    }

    /// The plan as a Graphviz digraph.
    fn dot(&self) -> String {
        to_dot(&self.plan)
    }

    /// The plan as it is stored, in JSON.
    fn json(&self) -> Result<String, Trouble> {
        serde_json::to_string(&*self.plan).map_err(|e| {
            let message = format!("the plan does not serialise: {e}");
            Error::new(ErrorKind::Internal, message).with_effect(Effect::NotApplied).into()
        })
    }

    /// The SHA-256 of its content: equal plans have equal digests, on every machine.
    #[getter]
    fn digest(&self) -> &str {
        self.plan.digest().as_str()
    }

    /// What it is for: `failover`, `failback`, ….
    #[getter]
    fn goal(&self) -> String {
        self.plan.goal().kind.to_string()
    }

    /// `graceful` or `ungraceful`.
    #[getter]
    fn mode(&self) -> String {
        self.plan.goal().mode.to_string()
    }

    /// The region that it leaves.
    #[getter]
    fn from_(&self) -> &str {
        self.plan.goal().from.as_str()
    }

    /// The region that it leads to.
    #[getter]
    fn to(&self) -> &str {
        self.plan.goal().to.as_str()
    }

    /// The steps, each after all those it depends on.
    #[getter]
    fn steps(&self) -> Vec<Step> {
        self.plan.steps().iter().map(Step::from).collect()
    }

    /// The names of the steps before which the approval stands.
    #[getter]
    fn point_of_no_return(&self) -> Vec<String> {
        self.plan.point_of_no_return().iter().map(|step| step.id.to_string()).collect()
    }

    /// How long it takes if each step takes as long as half of its runs do.
    #[getter]
    fn expected(&self) -> Duration {
        self.plan.expected_timeline().p50
    }

    /// What the survey could not see.
    #[getter]
    fn unknown(&self) -> Vec<String> {
        self.inventory.unknown.clone()
    }

    /// What lint says of it, worst first; what was waived in dr.yaml comes as information that names who waived it.
    fn lint(&self) -> Vec<Finding> {
        self.lint.for_journal().iter().map(Finding::from).collect()
    }

    /// Whether lint lets it run: nothing stands that is an error, or a warning without a waiver.
    #[getter]
    fn allows_run(&self) -> bool {
        self.lint.allows_run()
    }

    /// Begins to carry it out, and gives the run, which yields what happens.
    ///
    /// `journal` is the file that it is written down in, that of dr.yaml by default. `approve` opens the plan's gates: a
    /// name, or a function that takes an `ApprovalRequest` and gives a name or an `Answer`. Without it, the run waits at
    /// the first gate and ends so, unless dr.yaml says that this goal needs no approval.
    ///
    /// The run goes on whether anybody iterates or not, until it has ended or the process has.
    ///
    /// Raises `DrError` of kind `precondition-failed` when lint does not let the plan run.
    #[pyo3(signature = (journal = None, approve = None))]
    fn run(&self, journal: Option<PathBuf>, approve: Option<&Bound<'_, PyAny>>) -> PyResult<Run> {
        if !self.lint.allows_run() {
            let message = format!("lint does not let this plan run:\n{}", self.lint);
            let refused = Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied);
            return Err(Trouble::from(refused).into());
        }
        let id = new_run_id(&self.platform.clock);
        let new = NewRun::new(id.clone(), plan::Plan::clone(&self.plan))
            .inventory(Inventory::clone(&self.inventory))
            .linted(&self.lint);
        let approver = approver(approve)?.or_else(|| self.by_itself());
        Ok(Run::start(Arc::clone(&self.platform), journal, approver, id, Start::Create(Box::new(new)))?)
    }

    fn __len__(&self) -> usize {
        self.plan.steps().len()
    }

    fn __repr__(&self) -> String {
        format!("<dr.Plan {}: {}, {} steps>", self.plan.digest().short(), self.plan.goal(), self.plan.steps().len())
    }
}
