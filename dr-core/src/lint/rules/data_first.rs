//! E05: traffic follows the data, never the other way round.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::{LintInput, Rule, graph::StepSet};
use crate::{
    model::ResourceId,
    plan::Phase,
    validation::{Finding, Severity},
};

/// E05: a traffic shift that does not wait for every store to be writable in the target.
#[derive(Debug)]
pub(super) struct TrafficBeforeData;

impl Rule for TrafficBeforeData {
    fn number(&self) -> &'static str {
        "E05"
    }

    fn name(&self) -> &'static str {
        "traffic-before-data"
    }

    fn severity(&self) -> Severity {
        Severity::Error
    }

    fn remedy(&self) -> &'static str {
        "let the step that moves traffic come after the promotion of every store that clients write to"
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let promotions = promotions(input);
        let mut findings = Vec::new();
        for (at, step) in input.steps().filter(|(_, step)| input.shifts_traffic(step)) {
            let Some(before) = input.graph.ancestors(at) else { continue };
            for (store, steps) in &promotions {
                if steps.is_empty() {
                    let message = format!(
                        "clients are sent to {} while nothing in the plan makes {store} writable there",
                        input.plan.goal().to
                    );
                    findings.push(self.finding(step.id.as_str(), message, json!({ "store": store, "promotions": [] })));
                } else if !before.holds(steps) {
                    let message =
                        format!("clients may be sent to {} before {store} is writable there", input.plan.goal().to);
                    findings.push(self.finding(step.id.as_str(), message, json!({ "store": store })));
                }
            }
        }
        findings
    }
}

/// What has to be promoted, with the steps that do it: the stores that traffic needs writable and that have no writer in
/// the target yet, and whatever else the plan promotes, because nobody promotes for nothing.
fn promotions(input: &LintInput<'_>) -> BTreeMap<ResourceId, StepSet> {
    let to = &input.plan.goal().to;
    let mut needed: BTreeMap<ResourceId, StepSet> = input
        .facts
        .stores
        .iter()
        .filter(|store| store.writable_required)
        .filter(|store| store.member(to).and_then(|member| member.writer) != Some(true))
        .map(|store| (store.resource.clone(), StepSet::empty(input.graph.len())))
        .collect();
    for (at, step) in input.steps() {
        let acts = step.calls.is_empty() || step.calls.iter().any(|call| call.mutates);
        let read_only = input
            .facts
            .stores
            .iter()
            .any(|store| Some(&store.resource) == step.resource.as_ref() && !store.writable_required);
        if let (Phase::Promote, Some(resource), true, false) = (step.phase, &step.resource, acts, read_only) {
            needed.entry(resource.clone()).or_insert_with(|| StepSet::empty(input.graph.len())).insert(at);
        }
    }
    needed
}
