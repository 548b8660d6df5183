//! E14: a detached primary can still be written to.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, graph::StepSet},
    model::ResourceId,
    plan::{Phase, PlanStep},
    step::Reversibility,
    validation::Finding,
};

/// Operations after which the old primary takes no writes any more.
const GUARDS: [&str; 5] = [
    "ec2:RevokeSecurityGroupIngress",
    "rds:DeleteDBCluster",
    "rds:DeleteDBInstance",
    "rds:StopDBCluster",
    "rds:StopDBInstance",
];

/// E14: a detach after which nothing keeps the old primary shut.
#[derive(Debug)]
pub(in crate::lint) struct DetachWithoutOldPrimaryGuard;

impl Rule for DetachWithoutOldPrimaryGuard {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E14", "detach-without-old-primary-guard")
            .catches("RemoveFromGlobalCluster with no later step that keeps the old primary fenced, or deletes it")
            .why(
                "A detach fences nothing and takes no snapshot: when its region comes back, the old primary is a \
                  writable database of its own, and whoever still reaches it writes there (Aurora User Guide, \
                  \"Recovering an Amazon Aurora global database from an unplanned outage\").",
            )
            .remedy(
                "let a later step of the fence or latch phase keep the old primary shut or delete it, or waive this \
                     rule with the name of whoever will",
            )
            .waivable()
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let from = &input.plan.goal().from;
        let mut guarded: BTreeMap<Option<&ResourceId>, StepSet> = BTreeMap::new();
        let mut findings = Vec::new();
        for made in input.changes_of(&["rds:RemoveFromGlobalCluster"]) {
            let resource = made.step.resource.as_ref();
            let kept = guarded.entry(resource).or_insert_with(|| input.graph.before_any(&guards(input, resource)));
            if !kept.contains(made.at) {
                let message = format!(
                    "after {} nothing keeps the old primary shut: when {from} comes back, it takes writes",
                    made.call.operation
                );
                findings.push(self.finding(
                    made.step.id.as_str(),
                    message,
                    json!({ "operation": made.call.operation }),
                ));
            }
        }
        findings
    }
}

fn guards(input: &LintInput<'_>, resource: Option<&ResourceId>) -> StepSet {
    let guards = |step: &PlanStep| {
        let about = step.resource.is_none() || step.resource.as_ref() == resource;
        let shuts = matches!(step.phase, Phase::Fence | Phase::Latch) && step.reversibility != Reversibility::ReadOnly;
        let named = || step.calls.iter().any(|call| call.mutates && GUARDS.contains(&call.operation.as_ref()));
        about && (shuts || named())
    };
    input.graph.set(input.steps().filter(|(_, step)| guards(step)).map(|(at, _)| at))
}
