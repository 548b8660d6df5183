//! E05: traffic follows the data, never the other way round.

use std::collections::BTreeMap;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, graph::StepSet},
    model::ResourceId,
    plan::Phase,
    validation::Finding,
};

/// E05: a traffic shift that does not wait for every store to be writable in the target.
#[derive(Debug)]
pub(in crate::lint) struct TrafficBeforeData;

impl Rule for TrafficBeforeData {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E05", "traffic-before-data")
            .catches("a traffic shift that does not wait for every store to be writable in the target")
            .why(
                "Clients who arrive before the promotion find a database that only reads, and every write \
                 fails.",
            )
            .remedy(
                "let the step that moves traffic come after the promotion of every store that clients write \
                 to",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut shifts = input.shifts().peekable();
        if shifts.peek().is_none() {
            return Vec::new();
        }
        let promotions: Vec<_> = promotions(input)
            .into_iter()
            .map(|(store, steps)| (store, (!steps.is_empty()).then(|| input.graph.after_all(&steps))))
            .collect();
        let to = input.to();
        let mut findings = Vec::new();
        for (at, step) in shifts {
            for (store, behind) in &promotions {
                let (message, evidence) = match behind {
                    None => (
                        format!("clients are sent to {to} while nothing in the plan makes {store} writable there"),
                        json!({ "store": store, "promotions": [] }),
                    ),
                    Some(behind) if !behind.contains(at) => (
                        format!("clients may be sent to {to} before {store} is writable there"),
                        json!({ "store": store }),
                    ),
                    Some(_) => continue,
                };
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// What has to be promoted, with the steps that do it: the stores that traffic needs writable and that have no writer in
/// the target yet, and whatever else the plan promotes, because nobody promotes for nothing.
fn promotions(input: &LintInput<'_>) -> BTreeMap<ResourceId, StepSet> {
    let to = input.to();
    let mut needed: BTreeMap<ResourceId, StepSet> = input
        .facts
        .stores
        .iter()
        .filter(|store| store.writable_required)
        .filter(|store| store.member(to).and_then(|member| member.writer) != Some(true))
        .map(|store| (store.resource.clone(), StepSet::empty(input.graph.len())))
        .collect();
    for (at, step) in input.of_phase(Phase::Promote) {
        let acts = step.calls.is_empty() || step.calls.iter().any(|call| call.mutates);
        let Some(resource) = step.resource.as_ref().filter(|_| acts) else { continue };
        if input.facts.store(resource).is_some_and(|store| !store.writable_required) {
            continue;
        }
        match needed.get_mut(resource) {
            Some(steps) => steps.insert(at),
            None => drop(needed.insert(resource.clone(), input.graph.set([at]))),
        }
    }
    needed
}
