//! E16: rights are given before they are needed.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{goes_to, is_global_token_service, text},
    },
    model::RegionId,
    validation::Finding,
};

/// E16: a plan that changes rights, or comes by its own through what may be lost.
#[derive(Debug)]
pub(in crate::lint) struct IamMutationInPlan;

impl Rule for IamMutationInPlan {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E16", "iam-mutation-in-plan")
            .catches(
                "a change of rights within a plan, a role assumed through the global token service or the failed \
                      region, or operators who get in by single sign-on alone",
            )
            .why(
                "IAM's control plane is in us-east-1, and single sign-on in one region of its own; both have been \
                  what failed. Roles that exist keep working everywhere (AWS, \"Fault Isolation Boundaries\").",
            )
            .remedy(
                "create every role beforehand, assume it through the standby's regional token service, and keep a \
                     way in that does not need single sign-on",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let failed = input.failed_region();
        let mut findings = Vec::new();
        let changes = |operation: &str| {
            let verb = operation.strip_prefix("iam:").unwrap_or_default();
            ["Create", "Put", "Attach", "Update"].iter().any(|prefix| verb.starts_with(prefix))
        };
        for made in
            input.calls(|name| name.starts_with("iam:"), |made| made.call.mutates || changes(&made.call.operation))
        {
            let operation = &made.call.operation;
            let message = format!("{operation} changes rights in the middle of a failover, through us-east-1");
            findings.push(self.finding(made.step.id.as_str(), message, json!({ "operation": operation })));
        }
        for made in input.calls(|operation| operation.starts_with("sts:AssumeRole"), |_| true) {
            let call = made.call;
            let global = text(call, "Endpoint").is_some_and(is_global_token_service);
            let lost = failed.filter(|failed| goes_to(call, failed));
            let through = match lost {
                Some(lost) => format!("the token service of {lost}, the region that this plan has to leave"),
                None if global => "the token service without a region, which us-east-1 serves".to_owned(),
                None => continue,
            };
            let message = format!("{} goes through {through}", call.operation);
            let evidence = json!({ "operation": call.operation, "endpoints": call.endpoints });
            findings.push(self.finding(made.step.id.as_str(), message, evidence));
        }
        for access in &input.facts.access {
            if access.single_sign_on_only == Some(true) {
                let message = "single sign-on is the only way in, and it may be what has failed".to_owned();
                findings.push(self.finding(&access.who, message, json!({ "single_sign_on_only": true })));
            }
            let Some(host) = &access.token_endpoint else { continue };
            let in_failed = |failed: &RegionId| host.split('.').any(|label| label == failed.as_str());
            if is_global_token_service(host) || failed.is_some_and(in_failed) {
                let message = format!("the role comes from {host}, which this plan may not have");
                findings.push(self.finding(&access.who, message, json!({ "token_endpoint": host })));
            }
        }
        findings
    }
}
