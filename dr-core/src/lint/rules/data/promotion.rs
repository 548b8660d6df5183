//! E09, E10 and E11: a promotion is sent to the right endpoint, in the right mode, with the right name.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{flag, is_deferred, text},
    },
    model::RegionId,
    plan::{Call, Mode, PlanStep},
    validation::Finding,
};

const SWITCHOVER: &str = "rds:SwitchoverGlobalCluster";
const FAILOVER: &str = "rds:FailoverGlobalCluster";
const DETACH: &str = "rds:RemoveFromGlobalCluster";
const CACHE: &str = "elasticache:FailoverGlobalReplicationGroup";

/// The calls that move a writer.
fn calls<'a>(input: &LintInput<'a>) -> Vec<(&'a PlanStep, &'a Call)> {
    let calls = input.calls_of(&[SWITCHOVER, FAILOVER, DETACH, CACHE]).into_iter();
    calls.map(|made| (made.step, made.call)).collect()
}

/// E09: a promotion sent to an endpoint that does not serve it.
#[derive(Debug)]
pub(in crate::lint) struct WrongEndpointRegion;

impl Rule for WrongEndpointRegion {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E09", "wrong-endpoint-region")
            .catches("a promotion sent to an endpoint that does not serve it")
            .why(
                "A switchover is served by the current primary's region, a failover and a detach by the \
                 target's; ElastiCache takes the new primary's region (Aurora User Guide, \"Using switchover \
                 or failover in Amazon Aurora Global Database\").",
            )
            .remedy(
                "send a switchover to the region of the current writer, and a failover, a detach or a cache's \
                 promotion to the target's region",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for (step, call) in calls(input) {
            let Some(expected) = expected(input, step, call) else { continue };
            let right = !call.endpoints.is_empty() && call.endpoints.iter().all(|endpoint| *endpoint == expected);
            if !right {
                let sent: Vec<&str> = call.endpoints.iter().map(RegionId::as_str).collect();
                let message = format!("{} goes to {}, and is served by {expected} alone", call.operation, list(&sent));
                let evidence =
                    json!({ "operation": call.operation, "endpoints": call.endpoints, "expected": expected });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
            if let Some(primary) = text(call, "PrimaryRegion").filter(|region| *region != input.plan.goal().to.as_str())
            {
                let message = format!(
                    "{} makes {primary} the primary, and the plan goes to {}",
                    call.operation,
                    input.plan.goal().to
                );
                let evidence = json!({ "operation": call.operation, "PrimaryRegion": primary });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// The region whose endpoint serves a promotion; `None` for other calls.
fn expected(input: &LintInput<'_>, step: &PlanStep, call: &Call) -> Option<RegionId> {
    let goal = input.plan.goal();
    let target = |argument| text(call, argument).and_then(arn_region).unwrap_or_else(|| goal.to.clone());
    match call.operation.as_ref() {
        SWITCHOVER => {
            let store = step.resource.as_ref().and_then(|resource| input.facts.store(resource));
            let writer = store.and_then(|store| store.members.iter().find(|member| member.writer == Some(true)));
            Some(writer.map_or_else(|| goal.from.clone(), |member| member.region.clone()))
        }
        FAILOVER => Some(target("TargetDbClusterIdentifier")),
        DETACH => Some(target("DbClusterIdentifier")),
        CACHE => Some(goal.to.clone()),
        _ => None,
    }
}

/// E10: a switchover when the region it starts from is gone.
#[derive(Debug)]
pub(in crate::lint) struct SwitchoverInDisaster;

impl Rule for SwitchoverInDisaster {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E10", "switchover-in-disaster")
            .catches("a switchover when the region it starts from is presumed gone")
            .why(
                "A switchover waits until the primary has handed everything over, which a lost primary never \
                 does. FailoverGlobalCluster without AllowDataLoss is a switchover as well (RDS API, \
                 FailoverGlobalCluster).",
            )
            .remedy("in an ungraceful plan use FailoverGlobalCluster with AllowDataLoss, in the target's region")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if input.plan.goal().mode != Mode::Ungraceful {
            return Vec::new();
        }
        let from = &input.plan.goal().from;
        let mut findings = Vec::new();
        for (step, call) in calls(input) {
            let message = match call.operation.as_ref() {
                SWITCHOVER => format!("a switchover waits for {from}, which this plan presumes gone"),
                FAILOVER if !flag(call, "AllowDataLoss") => {
                    format!("without AllowDataLoss this is a switchover, and waits for {from}, which is presumed gone")
                }
                _ => continue,
            };
            let evidence = json!({ "operation": call.operation, "args": call.args });
            findings.push(self.finding(step.id.as_str(), message, evidence));
        }
        findings
    }
}

/// E11: a target that is not the ARN of a cluster in the target region.
#[derive(Debug)]
pub(in crate::lint) struct TargetNotArn;

impl Rule for TargetNotArn {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E11", "target-not-arn")
            .catches("a promotion whose target is not the ARN of a cluster in the target region")
            .why(
                "The operations take the target's ARN; a bare name is refused, at the moment when there is no \
                 time for it (RDS API, FailoverGlobalCluster).",
            )
            .remedy(
                "name the target cluster by its ARN, arn:aws:rds:REGION:ACCOUNT:cluster:NAME, in the region \
                 the plan goes to",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = &input.plan.goal().to;
        let mut findings = Vec::new();
        for (step, call) in calls(input) {
            let argument = match call.operation.as_ref() {
                SWITCHOVER | FAILOVER => "TargetDbClusterIdentifier",
                DETACH => "DbClusterIdentifier",
                _ => continue,
            };
            // An earlier step's output is checked when it is there.
            if is_deferred(call, argument) {
                continue;
            }
            let given = text(call, argument).unwrap_or_default();
            let message = match arn_region(given) {
                None if given.is_empty() => format!("{} is called without {argument}", call.operation),
                None => format!("{argument} of {} is {given:?}, which is not the ARN of a cluster", call.operation),
                Some(region) if region != *to => {
                    format!("{argument} of {} is in {region}, and the plan goes to {to}", call.operation)
                }
                Some(_) => continue,
            };
            findings.push(self.finding(step.id.as_str(), message, json!({ argument: given })));
        }
        findings
    }
}

/// The region of `arn:PARTITION:rds:REGION:ACCOUNT:cluster:NAME`.
fn arn_region(text: &str) -> Option<RegionId> {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        ["arn", partition, "rds", region, account, "cluster", name]
            if !partition.is_empty() && !account.is_empty() && !name.is_empty() =>
        {
            RegionId::new(*region).ok()
        }
        _ => None,
    }
}

fn list(words: &[&str]) -> String {
    if words.is_empty() { "no endpoint".to_owned() } else { words.join(", ") }
}
