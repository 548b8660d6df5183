//! E01: a plan that leaves a region must not need that region's control plane.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        index::Made,
        operation::{is_route53, needs_control_plane_of},
    },
    validation::Finding,
};

/// E01: a call that only the failed region's control plane could serve.
#[derive(Debug)]
pub(in crate::lint) struct ControlPlaneInFailedRegion;

impl Rule for ControlPlaneInFailedRegion {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E01", "control-plane-in-failed-region")
            .catches("a call that only the failed region's control plane could serve")
            .why(
                "A region that fails takes its control plane with it: an API that changes things there is the \
                 first to go, while data planes elsewhere keep working (AWS, \"Fault Isolation Boundaries\", \
                 static stability).",
            )
            .remedy(
                "call an endpoint outside the failed region, or a data plane; or leave the step to the \
                 failback",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let Some(failed) = input.failed_region() else { return Vec::new() };
        // Route 53's API is E02's, which knows of the ways round it.
        let calls = input.calls(|operation| !is_route53(operation), |made| needs_control_plane_of(made.call, failed));
        let finding = |made: Made<'_>| {
            let call = made.call;
            let message =
                format!("{} can only be served by {failed}, the region that this plan has to leave", call.operation);
            let evidence = json!({ "operation": call.operation, "plane": call.plane, "endpoints": call.endpoints });
            self.finding(made.step.id.as_str(), message, evidence)
        };
        calls.into_iter().map(finding).collect()
    }
}
