//! E15: what is created gets a name, and names are Route 53's.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, index::Made, restore},
    validation::{Finding, Severity},
};

/// Operations that end in a new name of DNS (AWS, "Fault Isolation Boundaries", appendix B).
const CREATORS: [&str; 16] = [
    "apigateway:CreateDomainName",
    "apigateway:CreateRestApi",
    "apigatewayv2:CreateApi",
    "apigatewayv2:CreateDomainName",
    "ec2:CreateVpcEndpoint",
    "eks:CreateCluster",
    "elasticache:CreateCacheCluster",
    "elasticache:CreateReplicationGroup",
    "elasticache:CreateServerlessCache",
    "elasticloadbalancing:CreateLoadBalancer",
    "elbv2:CreateLoadBalancer",
    "rds:CreateDBCluster",
    "rds:CreateDBInstance",
    "rds:RestoreDBClusterFromSnapshot",
    "rds:RestoreDBClusterToPointInTime",
    "rds:RestoreDBInstanceFromDBSnapshot",
];

/// E15: a step that creates something which needs a new record of DNS.
#[derive(Debug)]
pub(in crate::lint) struct CreatesDnsDuringFailover;

impl Rule for CreatesDnsDuringFailover {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E15", "creates-dns-during-failover")
            .catches(
                "a step that creates what needs a new record of DNS: a load balancer, a database, a cluster, a \
                      restored Service or Ingress",
            )
            .why(
                "The name of whatever is created is a record that Route 53's control plane makes, in us-east-1 (AWS, \
                  \"Fault Isolation Boundaries\"). In a plan that leaves us-east-1 this is an error, in any other a \
                  warning.",
            )
            .remedy(
                "create it beforehand, and let it stand ready; leave Services of type LoadBalancer and Ingresses \
                     out of a restore",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let severity = match input.failed_region() {
            Some(failed) if *failed == "us-east-1" => Severity::Error,
            _ => Severity::Warning,
        };
        let wanted = |operation: &str| CREATORS.contains(&operation) || restore::is_restore(operation);
        let judge = |made: Made<'_>| {
            let (step, operation) = (made.step.id.as_str(), &made.call.operation);
            let what = if restore::is_restore(operation) {
                match restore::makes_load_balancers(input, made.call) {
                    Some(true) => "brings back Services or Ingresses whose load balancers need",
                    Some(false) => return None,
                    None => {
                        return Some(self.unjudged(step, "whether the backup holds load balancers is not known"));
                    }
                }
            } else {
                "makes something that needs"
            };
            let message = format!("{operation} {what} a new name, and Route 53 makes names in us-east-1 alone");
            Some(self.finding_as(severity, step, message, json!({ "operation": operation })))
        };
        input.calls(wanted, |made| made.call.mutates).into_iter().filter_map(judge).collect()
    }
}
