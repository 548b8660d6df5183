//! E23: a cache's writer does not move by itself.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::{Call, GoalKind, Phase, PlanStep, StoreFact, StoreKind},
    validation::Finding,
};

/// E23: a cache that clients write to, and no step that moves its writer.
#[derive(Debug)]
pub(in crate::lint) struct CacheReadonly;

impl Rule for CacheReadonly {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E23", "cache-readonly")
            .catches("a cache that clients have to write to, with no step that makes it writable in the target")
            .why(
                "\"ElastiCache doesn't support autofailover from one AWS Region to another\": until \
                  FailoverGlobalReplicationGroup is called, the secondary only reads (ElastiCache User Guide, \
                  \"Replication across AWS Regions using global datastores\").",
            )
            .remedy(
                "add a step that calls FailoverGlobalReplicationGroup, or declare that the cache can be rebuilt \
                     (writable_required: false)",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        // A rehearsal leaves every writer where it is.
        if input.plan.goal().kind == GoalKind::Rehearsal {
            return Vec::new();
        }
        let to = input.to();
        let stays = |store: &&StoreFact| {
            let there = store.member(to).and_then(|member| member.writer) == Some(true);
            is_cache(input, store) && store.writable_required && !there
        };
        let unmoved = |store: &&StoreFact| !input.about(&store.resource).any(|(_, step)| moves_writer(step));
        let finding = |store: &StoreFact| {
            let message = format!(
                "{} only reads in {to}, and no step calls elasticache:FailoverGlobalReplicationGroup for it",
                store.resource
            );
            self.finding(store.resource.as_str(), message, json!({ "region": to }))
        };
        input.facts.stores.iter().filter(stays).filter(unmoved).map(finding).collect()
    }
}

fn is_cache(input: &LintInput<'_>, store: &StoreFact) -> bool {
    let by_driver = || {
        let resource = input.topology.resource(&store.resource);
        resource.is_some_and(|resource| resource.kind.as_str() == "aws.elasticache_global")
    };
    store.kind.map_or_else(by_driver, |kind| kind == StoreKind::Cache)
}

/// Whether the step makes another member the writer: through ElastiCache, or as another provider does it.
fn moves_writer(step: &PlanStep) -> bool {
    const MOVERS: [&str; 2] =
        ["elasticache:FailoverGlobalReplicationGroup", "elasticache:DisassociateGlobalReplicationGroup"];
    let moves = |call: &Call| {
        let elsewhere = !call.operation.starts_with("elasticache:") && step.phase == Phase::Promote;
        call.mutates && (MOVERS.contains(&call.operation.as_ref()) || elsewhere)
    };
    step.calls.iter().any(moves)
}
