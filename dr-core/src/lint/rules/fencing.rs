//! E08: two writers are worse than none.

use serde_json::json;

use super::super::{LintInput, Rule, graph::StepSet, operation::flag};
use crate::{
    plan::{Mode, Phase, PlanStep},
    step::Reversibility,
    validation::{Finding, Severity},
};

/// E08: a promotion that may lose data, with nothing done to stop the old writer.
#[derive(Debug)]
pub(super) struct NoFenceBeforePromote;

impl Rule for NoFenceBeforePromote {
    fn number(&self) -> &'static str {
        "E08"
    }

    fn name(&self) -> &'static str {
        "no-fence-before-promote"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "add a step of the fence phase before the promotion, or waive this rule with a name and a reason"
    }

    /// A region may be beyond every fence's reach; then a person decides, and the decision is kept.
    fn can_be_waived(&self) -> bool {
        true
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut fences = StepSet::empty(input.graph.len());
        input.steps().filter(|(_, step)| is_fence(step)).for_each(|(at, _)| fences.insert(at));
        let mut findings = Vec::new();
        for (at, step) in input.steps().filter(|(_, step)| may_lose_data(input, step)) {
            if !input.graph.ancestors(at).is_some_and(|before| before.meets(&fences)) {
                let message = format!(
                    "the writer in {} is not stopped before another one is made: both may take writes",
                    input.plan.goal().from
                );
                findings.push(self.finding(step.id.as_str(), message, json!({ "promotion": step.id })));
            }
        }
        findings
    }
}

fn may_lose_data(input: &LintInput<'_>, step: &PlanStep) -> bool {
    let detaches = |name: &str| name == "rds:RemoveFromGlobalCluster";
    let declared = step.calls.iter().any(|call| flag(call, "AllowDataLoss") || detaches(&call.operation));
    // A promotion written by hand that does not say what it calls is taken at its worst.
    let silent = step.calls.is_empty() && step.phase == Phase::Promote && input.plan.goal().mode == Mode::Ungraceful;
    declared || silent
}

/// Whether a step stops a writer. One that changes nothing stops nobody, wherever it stands.
fn is_fence(step: &PlanStep) -> bool {
    step.phase == Phase::Fence && step.reversibility != Reversibility::ReadOnly
}
