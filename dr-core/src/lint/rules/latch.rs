//! E06 and E07: traffic moves when somebody decides, and stays where it was sent.

use serde_json::json;

use super::super::{LintInput, Rule, operation::flag};
use crate::{
    model::ResourceId,
    plan::{CheckFact, GoalKind, Phase, PlanStep},
    validation::{Finding, Severity},
};

/// E06: DNS that fails over by itself to a region whose data is read-only.
#[derive(Debug)]
pub(super) struct AutoDnsWithoutPromotion;

impl Rule for AutoDnsWithoutPromotion {
    fn number(&self) -> &'static str {
        "E06"
    }

    fn name(&self) -> &'static str {
        "auto-dns-without-promotion"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "bind the PRIMARY record to a check that only a decision flips: standby-takes-over, or a routing control"
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
pub(super) struct NoLatch;

impl Rule for NoLatch {
    fn number(&self) -> &'static str {
        "E07"
    }

    fn name(&self) -> &'static str {
        "no-latch"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "add a latch after the shift: the standby-takes-over object that stays, a routing control that stays off, or \
         Disabled and Inverted on the primary's check"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if matches!(input.plan.goal().kind, GoalKind::Failback | GoalKind::Rehearsal) {
            return Vec::new();
        }
        let mut findings = Vec::new();
        for (at, step) in input.steps().filter(|(_, step)| input.shifts_traffic(step)) {
            if holds_by_itself(input, step) || latched_later(input, at, step) {
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

/// Whether a step of the latch phase follows, for the same resource or for all.
fn latched_later(input: &LintInput<'_>, shift: usize, step: &PlanStep) -> bool {
    let about = |later: &PlanStep| later.resource.is_none() || later.resource == step.resource;
    let mut me = super::super::graph::StepSet::empty(input.graph.len());
    me.insert(shift);
    input.steps().any(|(at, later)| {
        let latches = later.phase == Phase::Latch || (later.phase > step.phase && forces_unhealthy(later));
        latches && about(later) && input.graph.ancestors(at).is_some_and(|before| before.meets(&me))
    })
}

fn forces_unhealthy(step: &PlanStep) -> bool {
    step.calls.iter().any(|call| {
        let off = call.operation == "route53:UpdateHealthCheck" && flag(call, "Disabled") && flag(call, "Inverted");
        off || call.operation.starts_with("route53-recovery-cluster:UpdateRoutingControlState")
    })
}
