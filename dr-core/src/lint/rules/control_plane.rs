//! E01 and E02: a plan that leaves a region must not need that region's control plane.

use std::time::Duration;

use serde_json::json;

use super::super::{
    LintInput, Rule,
    operation::{flag, is_route53, needs_control_plane_of, text},
};
use crate::{
    plan::Call,
    validation::{Finding, Severity},
};

/// E01: a call that only the failed region's control plane could serve.
#[derive(Debug)]
pub(super) struct ControlPlaneInFailedRegion;

impl Rule for ControlPlaneInFailedRegion {
    fn number(&self) -> &'static str {
        "E01"
    }

    fn name(&self) -> &'static str {
        "control-plane-in-failed-region"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "call an endpoint outside the failed region, or a data plane; or leave the step to the failback"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let Some(failed) = input.failed_region() else { return Vec::new() };
        let mut findings = Vec::new();
        for (_, step) in input.steps() {
            // Route 53's API is E02's, which knows of the ways round it.
            let calls = step.calls.iter().filter(|call| !is_route53(call) && needs_control_plane_of(call, failed));
            for call in calls {
                findings.push(self.finding(
                    step.id.as_str(),
                    format!(
                        "{} can only be served by {failed}, the region that this plan has to leave",
                        call.operation
                    ),
                    json!({ "operation": call.operation, "plane": call.plane, "endpoints": call.endpoints }),
                ));
            }
        }
        findings
    }
}

/// E02: Route 53's API when the failed region is the one it lives in.
#[derive(Debug)]
pub(super) struct Route53WhenUsEast1Fails;

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
    fn number(&self) -> &'static str {
        "E02"
    }

    fn name(&self) -> &'static str {
        "r53-control-plane-when-us-east-1-fails"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "move traffic through a data plane: an object in the standby region under an inverted check \
         (standby-takes-over), or a routing control"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if input.failed_region().is_none_or(|failed| *failed != "us-east-1") {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (_, step) in input.steps() {
            for call in step.calls.iter().filter(|call| is_route53(call)) {
                let message = format!(
                    "{} needs Route 53's API, which lives in us-east-1, the region that this plan has to leave",
                    call.operation
                );
                let mut finding = self.finding(
                    step.id.as_str(),
                    message,
                    json!({ "operation": call.operation, "endpoints": call.endpoints }),
                );
                if accelerated(call) && input.plan.objectives().rto >= RECOVERY + step.timeout {
                    finding.severity = Severity::Warning;
                    finding.message.push_str("; accelerated recovery brings this call back within about an hour");
                }
                findings.push(finding);
            }
        }
        findings
    }
}

/// Whether accelerated recovery was switched on, and covers the call: a public zone, and one of thirteen operations.
fn accelerated(call: &Call) -> bool {
    ACCELERATED.contains(&call.operation.as_ref())
        && text(call, "AcceleratedRecoveryStatus") == Some("ENABLED")
        && !flag(call, "PrivateZone")
}
