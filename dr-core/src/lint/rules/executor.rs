//! E18: who runs the plan must outlive what it saves.

use serde_json::json;

use super::super::{LintInput, Rule};
use crate::validation::{Finding, Severity};

/// E18: the runner or the journal is in the failed region.
#[derive(Debug)]
pub(super) struct ExecutorInFailedRegion;

impl Rule for ExecutorInFailedRegion {
    fn number(&self) -> &'static str {
        "E18"
    }

    fn name(&self) -> &'static str {
        "executor-in-failed-region"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "put the runner and the journal into the witness region (runner.region and journal.region of dr.yaml)"
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
