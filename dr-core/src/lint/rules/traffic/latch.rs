//! E06 and E07: traffic moves when somebody decides, and stays where it was sent.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, graph::StepSet, operation::flag},
    model::ResourceId,
    plan::{CheckFact, GoalKind, Phase, PlanStep},
    validation::Finding,
};

/// E06: DNS that fails over by itself to a region whose data is read-only.
#[derive(Debug)]
pub(in crate::lint) struct AutoDnsWithoutPromotion;

impl Rule for AutoDnsWithoutPromotion {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E06", "auto-dns-without-promotion")
            .catches("a PRIMARY record that fails over by itself while its data has to be promoted first")
            .why(
                "The automatic path flips DNS about 40 s after the fault, to a region in which Aurora and the \
                 cache are still read-only; nothing in it promotes them.",
            )
            .remedy(
                "bind the PRIMARY record to a check that only a decision flips: standby-takes-over, or a \
                 routing control",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let stores: Vec<&ResourceId> =
            input.facts.stores.iter().filter(|store| store.writable_required).map(|store| &store.resource).collect();
        if stores.is_empty() {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for traffic in &input.facts.traffic {
            if let CheckFact::Endpoint { fqdn } = &traffic.primary_check {
                let message = format!(
                    "{} moves by itself when {fqdn} stops answering, to a region where nothing has been promoted",
                    traffic.name
                );
                let evidence = json!({ "check": traffic.primary_check, "stores": stores });
                findings.push(self.finding(traffic.resource.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// E07: nothing keeps traffic away from the old region once its check is well again.
#[derive(Debug)]
pub(in crate::lint) struct NoLatch;

impl Rule for NoLatch {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E07", "no-latch")
            .catches("a shift after which nothing keeps traffic away from the old region")
            .why(
                "Route 53's failure threshold is symmetric: the same number of passes makes the primary \
                 healthy again, and clients go back, with no decision, to data that has moved on (Route 53 \
                 Developer Guide, \"How Route 53 determines whether a health check is healthy\").",
            )
            .remedy(
                "add a latch after the shift: the standby-takes-over object that stays, a routing control \
                 that stays off, or Disabled and Inverted on the primary's check",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if matches!(input.plan.goal().kind, GoalKind::Failback | GoalKind::Rehearsal) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let mut latched: BTreeMap<(Option<&ResourceId>, Phase), StepSet> = BTreeMap::new();
        for (at, step) in input.shifts() {
            let kept = latched
                .entry((step.resource.as_ref(), step.phase))
                .or_insert_with(|| input.graph.before_any(&latches(input, step.resource.as_ref(), step.phase)));
            if kept.contains(at) || holds_by_itself(input, step) {
                continue;
            }
            let message = format!(
                "when {} answers its checks again, clients go back to it with no decision, and to data that has moved",
                input.plan.goal().from
            );
            findings.push(self.finding(step.id.as_str(), message, json!({ "shift": step.id })));
        }
        findings
    }
}

/// Whether the state that the shift leaves behind stays until somebody changes it.
fn holds_by_itself(input: &LintInput<'_>, step: &PlanStep) -> bool {
    let facts = input.facts.traffic.iter().filter(|traffic| step.resource.as_ref() == Some(&traffic.resource));
    let checks: Vec<&CheckFact> = facts.map(|traffic| &traffic.primary_check).collect();
    let lasting = |check: &&CheckFact| {
        matches!(check, CheckFact::StandbyTakesOver { .. } | CheckFact::RecoveryControl | CheckFact::None)
    };
    (!checks.is_empty() && checks.iter().all(lasting)) || forces_unhealthy(step)
}

/// The steps that keep traffic where a shift of this phase sent it: those of the latch phase, and later ones that hold
/// the old region off, for the same resource or for all.
fn latches(input: &LintInput<'_>, resource: Option<&ResourceId>, phase: Phase) -> StepSet {
    let about = |step: &PlanStep| step.resource.is_none() || step.resource.as_ref() == resource;
    let holds = |step: &PlanStep| step.phase == Phase::Latch || (step.phase > phase && forces_unhealthy(step));
    input.graph.set(input.steps().filter(|(_, step)| about(step) && holds(step)).map(|(at, _)| at))
}

fn forces_unhealthy(step: &PlanStep) -> bool {
    step.calls.iter().any(|call| {
        let off = call.operation == "route53:UpdateHealthCheck" && flag(call, "Disabled") && flag(call, "Inverted");
        off || call.operation.starts_with("route53-recovery-cluster:UpdateRoutingControlState")
    })
}
