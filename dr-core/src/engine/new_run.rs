use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::Signed,
    lint::Report,
    model::RunId,
    plan::{Inventory, Plan},
    spec::Waiver,
    validation::{Finding, Severity},
};

/// A run to be created: a plan, what was seen and said of it, and who overruled what.
#[derive(Clone, Debug, PartialEq)]
pub struct NewRun {
    pub(super) run: RunId,
    pub(super) plan: Plan,
    pub(super) inventory: Inventory,
    pub(super) findings: Vec<Finding>,
    pub(super) waivers: Vec<Waiver>,
    pub(super) unattended: Option<Signed>,
}

impl NewRun {
    /// A run of this plan.
    #[must_use]
    pub fn new(run: RunId, plan: Plan) -> Self {
        Self { run, plan, inventory: Inventory::default(), findings: Vec::new(), waivers: Vec::new(), unattended: None }
    }

    /// With the world as it was surveyed for the plan.
    #[must_use]
    pub fn inventory(mut self, inventory: Inventory) -> Self {
        self.inventory = inventory;
        self
    }

    /// With what lint said of the plan, and what somebody overruled of it: the waivers that changed something.
    #[must_use]
    pub fn linted(mut self, report: &Report) -> Self {
        self.findings = report.for_journal();
        self.waivers.clear();
        for waived in &report.waived {
            if !self.waivers.contains(&waived.waiver) {
                self.waivers.push(waived.waiver.clone());
            }
        }
        self
    }

    /// With findings as they stand, waived ones as information: [`linted`](Self::linted) for who has no report at hand.
    #[must_use]
    pub fn findings(mut self, findings: Vec<Finding>) -> Self {
        self.findings = findings;
        self
    }

    /// With the waivers to be kept beside the findings. They excuse nothing here: lint has applied them.
    #[must_use]
    pub fn waivers(mut self, waivers: Vec<Waiver>) -> Self {
        self.waivers = waivers;
        self
    }

    /// Lets irreversible steps that have no gate be made without an approval, in somebody's name.
    #[must_use]
    pub fn unattended(mut self, who: impl Into<String>, why: impl Into<String>) -> Self {
        self.unattended = Some(Signed { who: who.into(), why: why.into() });
        self
    }

    /// Its name.
    #[must_use]
    pub fn run(&self) -> &RunId {
        &self.run
    }

    /// What the run will do.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// Checks that nothing forbids the run.
    pub(super) fn check(&self) -> Result<()> {
        let blocking: Vec<String> = self
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error)
            .map(|finding| format!("\n  {finding}"))
            .collect();
        if !blocking.is_empty() {
            return refuse(format!("lint blocks this plan ({} finding(s)){}", blocking.len(), blocking.concat()));
        }
        // No step from which there is no way back without somebody's name to it (guarantee 5).
        let open: Vec<&str> = self
            .plan
            .point_of_no_return()
            .into_iter()
            .filter(|step| step.gate.is_none())
            .map(|step| step.id.as_str())
            .collect();
        if !open.is_empty() && self.unattended.is_none() {
            return refuse(format!(
                "there is no way back from {}, and no gate before it: plan with approval, or create the run unattended in \
                 somebody's name",
                open.join(", ")
            ));
        }
        Ok(())
    }
}

fn refuse(message: String) -> Result<()> {
    Err(Error::new(ErrorKind::PreconditionFailed, message).with_effect(Effect::NotApplied))
}
