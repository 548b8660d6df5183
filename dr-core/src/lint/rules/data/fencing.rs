//! E08: two writers are worse than none.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, operation::flag},
    plan::{Mode, Phase, PlanStep},
    step::Reversibility,
    validation::Finding,
};

/// E08: a promotion that may lose data, with nothing done to stop the old writer.
#[derive(Debug)]
pub(in crate::lint) struct NoFenceBeforePromote;

impl Rule for NoFenceBeforePromote {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E08", "no-fence-before-promote")
            .catches("a promotion that may lose data, with nothing done before it to stop the old writer")
            .why(
                "Aurora's own fencing is best effort; a writer that lives on beside the new one takes orders \
                 that nobody will ever see again.",
            )
            .remedy(
                "add a step of the fence phase before the promotion, or waive this rule with a name and a \
                 reason",
            )
            .waivable()
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let fences = input.graph.set(input.of_phase(Phase::Fence).filter(|(_, step)| is_fence(step)).map(|(at, _)| at));
        let fenced = input.graph.after_any(&fences);
        let mut findings = Vec::new();
        for (at, step) in input.steps().filter(|(_, step)| may_lose_data(input, step)) {
            if !fenced.contains(at) {
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
    step.reversibility != Reversibility::ReadOnly
}
