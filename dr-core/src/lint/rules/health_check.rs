//! E03 and E04: what `Disabled` and `Inverted` really do to a Route 53 health check.

use serde_json::json;

use super::super::{LintInput, Rule, operation::flag};
use crate::{
    plan::{Call, GoalKind, Phase, PlanStep},
    validation::{Finding, Severity},
};

/// The updates of health checks with which a plan means to send traffic away from the region that it leaves.
fn fail_away<'a>(input: &LintInput<'a>) -> Vec<(&'a PlanStep, &'a Call)> {
    // A failback puts checks back as they were, in whatever state that is.
    if input.plan.goal().kind == GoalKind::Failback {
        return Vec::new();
    }
    let steps = input.plan.steps().iter().filter(|step| step.phase != Phase::Restore);
    steps
        .flat_map(|step| step.calls.iter().map(move |call| (step, call)))
        .filter(|(_, call)| call.operation == "route53:UpdateHealthCheck" && call.mutates)
        .collect()
}

/// E03: disabling a check in order to fail away, which makes it healthy for ever.
#[derive(Debug)]
pub(super) struct DisableMeansHealthy;

impl Rule for DisableMeansHealthy {
    fn number(&self) -> &'static str {
        "E03"
    }

    fn name(&self) -> &'static str {
        "disable-means-healthy"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "set Disabled and Inverted together: that is unhealthy whatever the checkers see"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let wrong = |call: &Call| flag(call, "Disabled") && !flag(call, "Inverted");
        fail_away(input)
            .into_iter()
            .filter(|(_, call)| wrong(call))
            .map(|(step, call)| {
                let message =
                    "a disabled check counts as healthy: traffic stays, and automatic failover is off as well";
                self.finding(step.id.as_str(), message.to_owned(), json!({ "args": call.args }))
            })
            .collect()
    }
}

/// E04: inverting a check without knowing what it says.
#[derive(Debug)]
pub(super) struct BareInvert;

impl Rule for BareInvert {
    fn number(&self) -> &'static str {
        "E04"
    }

    fn name(&self) -> &'static str {
        "bare-invert"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "set Disabled and Inverted together, or invert only after the check was observed healthy \
         (the argument ObservedHealthy: true)"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let wrong = |call: &Call| flag(call, "Inverted") && !flag(call, "Disabled") && !flag(call, "ObservedHealthy");
        fail_away(input)
            .into_iter()
            .filter(|(_, call)| wrong(call))
            .map(|(step, call)| {
                let message = "inverting the check of a region that is down makes it healthy, and brings traffic to it";
                self.finding(step.id.as_str(), message.to_owned(), json!({ "args": call.args }))
            })
            .collect()
    }
}
