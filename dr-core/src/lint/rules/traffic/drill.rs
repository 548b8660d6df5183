//! W43: a drill practises what will be done.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::GoalKind,
    validation::Finding,
};

/// W43: a drill that moves traffic by another mechanism than a real failover.
#[derive(Debug)]
pub(in crate::lint) struct DrillDiffers;

impl Rule for DrillDiffers {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W43", "drill-differs")
            .catches("a drill whose switch is not the one that a real failover throws")
            .why(
                "A drill through UpdateHealthCheck proves nothing of the routing control that production relies on; \
                  what was never thrown is what does not work.",
            )
            .remedy("let the drill throw the real switch, or change the switch that the real plan throws")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if input.plan.goal().kind != GoalKind::Drill {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (_, step) in input.shifts() {
            let Some(traffic) =
                input.facts.traffic.iter().find(|traffic| step.resource.as_ref() == Some(&traffic.resource))
            else {
                continue;
            };
            let mut changes = step.calls.iter().filter(|call| call.mutates).peekable();
            if traffic.switched_by.is_empty() && changes.peek().is_some() {
                let unknown = format!("what moves {} in a real failover is not known", traffic.name);
                findings.push(self.unjudged(step.id.as_str(), &unknown));
                continue;
            }
            let other = changes.find(|call| !traffic.switched_by.iter().any(|name| *name == call.operation));
            if let Some(call) = other {
                let message = format!(
                    "the drill moves {} by {}, and a real failover by {}",
                    traffic.name,
                    call.operation,
                    traffic.switched_by.join(" or ")
                );
                let evidence = json!({ "drill": call.operation, "real": traffic.switched_by });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
        }
        findings
    }
}
