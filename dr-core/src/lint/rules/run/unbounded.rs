//! W36: a step that could hang, or act twice.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{goes_to, is_one_shot, needs_control_plane_of},
    },
    plan::{Call, PlanStep},
    validation::Finding,
};

/// A lost region swallows packets: an attempt against it that may take longer only waits longer.
const LONGEST_ATTEMPT: Duration = Duration::from_secs(10);

/// W36: no effective timeout, a patient call to a dead region, or a blind retry of what must not happen twice.
#[derive(Debug)]
pub(in crate::lint) struct UnboundedStep;

impl Rule for UnboundedStep {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W36", "unbounded-step")
            .catches("a step that may hang, or act twice")
            .why(
                "A lost region swallows packets: whoever waits for it only waits. And a promotion that timed \
                 out may have happened: repeating it blindly asks for a second one.",
            )
            .remedy(
                "give the step a timeout below the run's deadline, at most 10 s an attempt against the failed \
                 region, and let a retry of a promotion describe first",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (_, step) in input.steps() {
            if step.timeout > input.plan.deadline() {
                let message = "one attempt may take longer than the whole run".to_owned();
                let evidence = json!({ "timeout_s": step.timeout.as_secs_f64() });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
            if let Some(failed) = input.failed_region() {
                // A control plane there is E01's, whatever the timeout.
                let dead =
                    step.calls.iter().find(|call| goes_to(call, failed) && !needs_control_plane_of(call, failed));
                if let Some(call) = dead.filter(|_| step.timeout > LONGEST_ATTEMPT) {
                    let message = format!("{} goes to {failed}, which may never answer", call.operation);
                    let evidence = json!({ "operation": call.operation, "timeout_s": step.timeout.as_secs_f64() });
                    findings.push(self.finding(step.id.as_str(), message, evidence));
                }
            }
            if let Some(call) = step.calls.iter().find(|call| call.mutates && is_one_shot(call))
                && step.retry.attempts > 1
                && !looks_first(step, call)
            {
                let message = format!(
                    "{} is tried {} times, and the step declares no call that looks whether it has happened",
                    call.operation, step.retry.attempts
                );
                let evidence = json!({ "operation": call.operation, "attempts": step.retry.attempts });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// Whether the step declares a reading call to the same service.
fn looks_first(step: &PlanStep, act: &Call) -> bool {
    let service = |call: &Call| call.operation.split(':').next().unwrap_or_default().to_owned();
    step.calls.iter().any(|call| !call.mutates && service(call) == service(act))
}
