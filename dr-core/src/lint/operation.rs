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

/// Services that are control planes of the region they are called in, whatever a plan says of them.
const CONTROL: [&str; 7] = ["rds:", "elasticache:", "eks:", "ec2:", "elasticloadbalancing:", "elbv2:", "ecr:"];

/// The regions in which the API of a call lives, when that does not depend on the caller.
fn home(call: &Call) -> Option<&'static [&'static str]> {
    const US_EAST_1: &[&str] = &["us-east-1"];
    let operation = call.operation.as_ref();
    let global = match operation.split(':').next() {
        // Route 53 publishes the metrics of its health checks in one region, CloudFront takes certificates from one,
        // and the token service's name without a region is served by one.
        Some("cloudwatch") => text(call, "Namespace") == Some("AWS/Route53"),
        Some("acm") => flag(call, "ForCloudFront"),
        Some("sts") => text(call, "Endpoint").is_some_and(is_global_token_service),
        _ => false,
    };
    if global {
        return Some(US_EAST_1);
    }
    HOMES
        .iter()
        .find(|(name, _)| if name.ends_with(':') { operation.starts_with(name) } else { operation == *name })
        .map(|(_, regions)| *regions)
}

/// Whether the host is that of AWS's token service without a region.
pub(super) fn is_global_token_service(host: &str) -> bool {
    host.trim_start_matches("https://").trim_end_matches('/').eq_ignore_ascii_case("sts.amazonaws.com")
}

/// Whether the operation is one of Route 53's own API.
pub(super) fn is_route53(operation: &str) -> bool {
    operation.starts_with("route53:")
}

/// Whether the call cannot be made when `region` has lost its control planes: by what its author declared, or by where
/// its API lives.
pub(super) fn needs_control_plane_of(call: &Call, region: &RegionId) -> bool {
    call.needs_control_plane_of(region)
        || (goes_to(call, region) && CONTROL.iter().any(|service| call.operation.starts_with(service)))
        || home(call).is_some_and(|regions| regions.iter().all(|home| *region == *home))
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

/// The region of an ARN, `arn:PARTITION:SERVICE:REGION:...`, with its service.
pub(super) fn arn(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split(':');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some("arn"), Some(_), Some(service), Some(region)) if !region.is_empty() => Some((service, region)),
        _ => None,
    }
}

/// Names of DNS are equal whatever their case, and with or without the dot at the end.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.trim_end_matches('.').eq_ignore_ascii_case(b.trim_end_matches('.'))
}

/// The argument as a whole number.
pub(super) fn number(call: &Call, name: &str) -> Option<u64> {
    call.args.get(name).and_then(serde_json::Value::as_u64)
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
        let promoted = call("rds:FailoverGlobalCluster", Plane::Data, &["us-east-1"]);
        assert!(needs_control_plane_of(&promoted, &us_east_1), "RDS is a control plane, whatever a plan says");
        let metric = call("cloudwatch:GetMetricData", Plane::Data, &["eu-west-1"]).arg("Namespace", "AWS/Route53");
        assert!(needs_control_plane_of(&metric, &us_east_1), "Route 53's metrics are in one region");
        let assume = |host: &str| call("sts:AssumeRole", Plane::Data, &["eu-west-1"]).arg("Endpoint", host);
        assert!(needs_control_plane_of(&assume("https://sts.amazonaws.com/"), &us_east_1));
        assert!(!needs_control_plane_of(&assume("sts.eu-west-1.amazonaws.com"), &us_east_1));
        let certificate = call("acm:DescribeCertificate", Plane::Data, &["eu-west-1"]).arg("ForCloudFront", true);
        assert!(needs_control_plane_of(&certificate, &us_east_1));
    }

    #[test]
    fn an_arn_tells_its_service_and_region() {
        assert_eq!(arn("arn:aws:kms:us-east-1:111122223333:key/1"), Some(("kms", "us-east-1")));
        assert_eq!(arn("arn:aws:s3:::bucket/key"), None, "a bucket's ARN has no region");
        assert_eq!(arn("orders"), None);
    }
}
