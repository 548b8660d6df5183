//! E03 and E04: what `Disabled` and `Inverted` really do to a Route 53 health check.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{flag, text},
    },
    plan::{Call, GoalKind, Phase, PlanStep},
    validation::Finding,
};

/// The updates of health checks with which a plan means to send traffic away from the region that it leaves.
fn fail_away<'a>(input: &LintInput<'a>) -> Vec<(&'a PlanStep, &'a Call)> {
    // A failback puts checks back as they were, in whatever state that is.
    if input.plan.goal().kind == GoalKind::Failback {
        return Vec::new();
    }
    let updates = input.changes_of(&["route53:UpdateHealthCheck"]).into_iter();
    updates.filter(|made| made.step.phase != Phase::Restore).map(|made| (made.step, made.call)).collect()
}

/// E03: disabling a check in order to fail away, which makes it healthy for ever.
#[derive(Debug)]
pub(in crate::lint) struct DisableMeansHealthy;

impl Rule for DisableMeansHealthy {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E03", "disable-means-healthy")
            .catches("disabling a health check in order to send traffic away")
            .why(
                "\"Route 53 considers the status of the health check to always be healthy\" once it is disabled \
                 (Route 53 API, UpdateHealthCheck): traffic stays, and automatic failover is off as well.",
            )
            .remedy("set Disabled and Inverted together: that is unhealthy whatever the checkers see")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        // What the call does not say stays as it was.
        let inverted = |call: &Call| {
            let check = || text(call, "HealthCheckId").and_then(|id| input.facts.health_check(id)?.inverted);
            call.args.get("Inverted").and_then(serde_json::Value::as_bool).or_else(check).unwrap_or(false)
        };
        let wrong = |call: &Call| flag(call, "Disabled") && !inverted(call);
        fail_away(input)
            .into_iter()
            .filter(|(_, call)| wrong(call))
            .map(|(step, call)| {
                let from = &input.plan.goal().from;
                let message = format!(
                    "{} disables the check of {from}, which then counts as healthy: traffic stays, and automatic \
                     failover is off as well",
                    call.operation
                );
                self.finding(step.id.as_str(), message, json!({ "args": call.args }))
            })
            .collect()
    }
}

/// E04: inverting a check without knowing what it says.
#[derive(Debug)]
pub(in crate::lint) struct BareInvert;

impl Rule for BareInvert {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E04", "bare-invert")
            .catches("inverting a health check without knowing what it says")
            .why(
                "Inverting the check of a region that is down makes it healthy and brings clients to it. \
                 Disabled and inverted together are unhealthy whatever the checkers see (Route 53 API, \
                 UpdateHealthCheck).",
            )
            .remedy(
                "set Disabled and Inverted together, or invert only after the check was observed healthy (the \
                 argument ObservedHealthy: true)",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let wrong = |call: &Call| flag(call, "Inverted") && !flag(call, "Disabled") && !flag(call, "ObservedHealthy");
        fail_away(input)
            .into_iter()
            .filter(|(_, call)| wrong(call))
            .map(|(step, call)| {
                let from = &input.plan.goal().from;
                let message = format!(
                    "{} inverts the check of {from}: if {from} is down, that makes it healthy, and brings traffic to it",
                    call.operation
                );
                self.finding(step.id.as_str(), message, json!({ "args": call.args }))
            })
            .collect()
    }
}
