//! E02: a plan that leaves us-east-1 must not need Route 53's API.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{flag, is_route53, text},
    },
    plan::Call,
    validation::{Finding, Severity},
};

/// E02: Route 53's API when the failed region is the one it lives in.
#[derive(Debug)]
pub(in crate::lint) struct Route53WhenUsEast1Fails;

/// What Route 53's accelerated recovery keeps alive, about an hour after AWS detects an impairment (Route 53 Developer
/// Guide, "Accelerated recovery"). `UpdateHealthCheck` is not among it.
const ACCELERATED: [&str; 13] = [
    "route53:ChangeResourceRecordSets",
    "route53:GetChange",
    "route53:GetGeoLocation",
    "route53:GetHostedZone",
    "route53:GetHostedZoneCount",
    "route53:GetHostedZoneLimit",
    "route53:GetReusableDelegationSet",
    "route53:GetReusableDelegationSetLimit",
    "route53:ListGeoLocations",
    "route53:ListHostedZones",
    "route53:ListHostedZonesByName",
    "route53:ListResourceRecordSets",
    "route53:ListReusableDelegationSets",
];

/// How long accelerated recovery takes by AWS's own account.
const RECOVERY: Duration = Duration::from_secs(3600);

impl Rule for Route53WhenUsEast1Fails {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E02", "r53-control-plane-when-us-east-1-fails")
            .catches("a call to Route 53's API in a plan that leaves us-east-1")
            .why(
                "Route 53's control plane, records and health checks alike, lives in us-east-1. On 7 December \
                 2021 it was impaired for seven hours while DNS kept answering (AWS, \"Fault Isolation \
                 Boundaries\", appendix B). Accelerated recovery brings thirteen operations of public zones \
                 back after about an hour, and UpdateHealthCheck is not among them: for those, with an RTO \
                 that leaves room for it, this is a warning.",
            )
            .remedy(
                "move traffic through a data plane: an object in the standby region under an inverted check \
                 (standby-takes-over), or a routing control",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if input.failed_region().is_none_or(|failed| *failed != "us-east-1") {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for made in input.calls(is_route53, |_| true) {
            let (step, call) = (made.step, made.call);
            let mut message = format!(
                "{} needs Route 53's API, which lives in us-east-1, the region that this plan has to leave",
                call.operation
            );
            let mut severity = Severity::Error;
            if accelerated(input, call) && input.plan.objectives().rto >= RECOVERY + step.timeout {
                severity = Severity::Warning;
                message.push_str("; accelerated recovery brings this call back within about an hour");
            }
            let evidence = json!({ "operation": call.operation, "endpoints": call.endpoints });
            findings.push(self.finding_as(severity, step.id.as_str(), message, evidence));
        }
        findings
    }
}

/// Whether accelerated recovery was switched on, and covers the call: a public zone, and one of thirteen operations.
/// The call may say so itself; otherwise the survey has to.
fn accelerated(input: &LintInput<'_>, call: &Call) -> bool {
    let zone = text(call, "HostedZoneId").and_then(|id| input.facts.zone(id));
    let status = text(call, "AcceleratedRecoveryStatus");
    let enabled = status.or_else(|| zone.and_then(|zone| zone.accelerated_recovery.as_deref())) == Some("ENABLED");
    let private = flag(call, "PrivateZone") || zone.is_some_and(|zone| zone.public == Some(false));
    ACCELERATED.contains(&call.operation.as_ref()) && enabled && !private
}
