//! E22: what a plan needs to know is written in it.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// Look-ups of what never changes, each at a control plane.
const LOOKUPS: [(&str, &str); 9] = [
    ("eks:DescribeCluster", "the cluster's endpoint and certificate authority"),
    ("eks:ListClusters", "the cluster's name"),
    ("elasticloadbalancing:DescribeLoadBalancers", "the load balancer's name"),
    ("elbv2:DescribeLoadBalancers", "the load balancer's name"),
    ("route53-recovery-control-config:DescribeCluster", "the endpoints of the routing control cluster"),
    ("route53-recovery-control-config:ListClusters", "the routing control cluster"),
    ("route53-recovery-control-config:ListRoutingControls", "the routing controls"),
    ("route53:ListHostedZones", "the zone's id"),
    ("route53:ListHostedZonesByName", "the zone's id"),
];

/// A cluster of routing controls has an endpoint in each of five regions.
const ENDPOINTS: usize = 5;

/// E22: an address looked up during the failover, or routing controls with too few endpoints to try.
#[derive(Debug)]
pub(in crate::lint) struct DiscoveryAtFailover;

impl Rule for DiscoveryAtFailover {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E22", "discovery-at-failover")
            .catches(
                "an endpoint, a zone's id or a load balancer's name that is looked up during the run, or a routing \
                      control called at other than its five endpoints",
            )
            .why(
                "Looking up is a call to a control plane, such as us-west-2's for routing controls. Of their five \
                  regional endpoints at least three are up at any time, so that all five have to be tried in turn \
                  (Application Recovery Controller Developer Guide, \"Best practices\").",
            )
            .remedy("pin what never changes in dr.yaml, all five endpoints of the routing controls among it")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let looked_up = |operation: &str| LOOKUPS.iter().find(|(name, _)| *name == operation).map(|(_, what)| *what);
        for made in input.calls(|operation| looked_up(operation).is_some(), |_| true) {
            let operation = &made.call.operation;
            let what = looked_up(operation).unwrap_or_default();
            let message = format!("{operation} looks up {what} during the run, at a control plane");
            findings.push(self.finding(made.step.id.as_str(), message, json!({ "operation": operation })));
        }
        for made in input.calls(|operation| operation.starts_with("route53-recovery-cluster:"), |_| true) {
            let endpoints: BTreeSet<_> = made.call.endpoints.iter().collect();
            if endpoints.len() != ENDPOINTS {
                let message = format!(
                    "{} is given {} endpoint(s) to try, and its cluster has {ENDPOINTS}",
                    made.call.operation,
                    endpoints.len()
                );
                findings.push(self.finding(made.step.id.as_str(), message, json!({ "endpoints": endpoints })));
            }
        }
        findings
    }
}
