//! What is known of an operation whatever its author declared: where its API lives.

use crate::{model::RegionId, plan::Call};

/// APIs that live in fixed regions wherever they are called from (AWS, "Fault Isolation Boundaries", appendix B, and the
/// endpoint lists of S3 Multi-Region Access Points and of the routing control API). A prefix ends with `:`.
const HOMES: &[(&str, &[&str])] = &[
    ("route53:", &["us-east-1"]),
    ("iam:", &["us-east-1"]),
    ("organizations:", &["us-east-1"]),
    ("cloudfront:", &["us-east-1"]),
    ("route53-recovery-control-config:", &["us-west-2"]),
    ("globalaccelerator:", &["us-west-2"]),
    (
        "s3control:SubmitMultiRegionAccessPointRoutes",
        &["us-east-1", "us-west-2", "ap-southeast-2", "ap-northeast-1", "eu-west-1"],
    ),
];

/// The regions in which the API of an operation lives, when that does not depend on the caller.
fn home(operation: &str) -> Option<&'static [&'static str]> {
    HOMES
        .iter()
        .find(|(name, _)| if name.ends_with(':') { operation.starts_with(name) } else { operation == *name })
        .map(|(_, regions)| *regions)
}

/// Whether the call is one to Route 53's own API.
pub(super) fn is_route53(call: &Call) -> bool {
    call.operation.starts_with("route53:")
}

/// Whether the call cannot be made when `region` has lost its control planes: by what its author declared, or by where
/// its API lives.
pub(super) fn needs_control_plane_of(call: &Call, region: &RegionId) -> bool {
    call.needs_control_plane_of(region)
        || home(&call.operation).is_some_and(|regions| regions.iter().all(|home| *region == *home))
}

/// Whether every endpoint that could serve the call is in `region`.
pub(super) fn goes_to(call: &Call, region: &RegionId) -> bool {
    !call.endpoints.is_empty() && call.endpoints.iter().all(|endpoint| endpoint == region)
}

/// Whether the call moves traffic whatever phase its step claims.
pub(super) fn moves_traffic(call: &Call) -> bool {
    const MOVERS: [&str; 7] = [
        "route53:ChangeResourceRecordSets",
        "route53:UpdateHealthCheck",
        "route53-recovery-cluster:UpdateRoutingControlState",
        "route53-recovery-cluster:UpdateRoutingControlStates",
        "arc-region-switch:StartPlanExecution",
        "globalaccelerator:UpdateEndpointGroup",
        "s3control:SubmitMultiRegionAccessPointRoutes",
    ];
    call.mutates && MOVERS.contains(&call.operation.as_ref())
}

/// Operations that do something else when they are sent twice, so that a retry must look first.
pub(super) fn is_one_shot(call: &Call) -> bool {
    const ONE_SHOT: [&str; 5] = [
        "rds:FailoverGlobalCluster",
        "rds:SwitchoverGlobalCluster",
        "rds:RemoveFromGlobalCluster",
        "elasticache:FailoverGlobalReplicationGroup",
        "elasticache:DisassociateGlobalReplicationGroup",
    ];
    ONE_SHOT.contains(&call.operation.as_ref())
}

/// The argument as a truth value; absent is false.
pub(super) fn flag(call: &Call, name: &str) -> bool {
    call.args.get(name).and_then(serde_json::Value::as_bool).unwrap_or(false)
}

/// The argument as text, when it is known before the run.
pub(super) fn text<'a>(call: &'a Call, name: &str) -> Option<&'a str> {
    call.args.get(name).and_then(serde_json::Value::as_str)
}

/// Whether the argument will only be known during the run, because it is an earlier step's output.
pub(super) fn is_deferred(call: &Call, name: &str) -> bool {
    call.args.get(name).is_some_and(serde_json::Value::is_object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Plane;

    fn call(operation: &'static str, plane: Plane, endpoints: &[&str]) -> Call {
        Call {
            operation: operation.into(),
            plane,
            endpoints: endpoints.iter().map(|region| RegionId::new(*region).unwrap()).collect(),
            mutates: true,
            args: Default::default(),
            manual: String::new(),
        }
    }

    #[test]
    fn where_an_api_lives_does_not_depend_on_what_a_plan_says() {
        let us_east_1 = RegionId::new("us-east-1").unwrap();
        let claimed = call("route53:UpdateHealthCheck", Plane::Control, &["eu-west-1"]);
        assert!(needs_control_plane_of(&claimed, &us_east_1));
        let cluster = call("route53-recovery-cluster:UpdateRoutingControlState", Plane::Data, &["eu-west-1"]);
        assert!(!needs_control_plane_of(&cluster, &us_east_1), "routing controls are a data plane of their own");
        let routes = call("s3control:SubmitMultiRegionAccessPointRoutes", Plane::Control, &["us-east-1", "eu-west-1"]);
        assert!(!needs_control_plane_of(&routes, &us_east_1), "any of five regions serves it");
    }
}
