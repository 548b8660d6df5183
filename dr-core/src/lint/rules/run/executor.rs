//! E18: who runs the plan must outlive what it saves.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// E18: the runner or the journal is in the failed region.
#[derive(Debug)]
pub(in crate::lint) struct ExecutorInFailedRegion;

impl Rule for ExecutorInFailedRegion {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E18", "executor-in-failed-region")
            .catches("a runner, or a journal with its lease, in the region that the plan leaves")
            .why("Whoever saves a region must not be lost with it.")
            .remedy(
                "put the runner and the journal into the witness region (runner.region and journal.region of \
                 dr.yaml)",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let Some(failed) = input.failed_region() else { return Vec::new() };
        [("runner", input.plan.runner()), ("journal", input.plan.journal())]
            .into_iter()
            .filter(|(_, region)| *region == Some(failed))
            .map(|(what, _)| {
                let message = format!("the {what} is in {failed}, the region that this plan has to leave");
                self.finding(what, message, json!({ "region": failed }))
            })
            .collect()
    }
}
