//! E12: a cluster without an instance cannot be promoted.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::Phase,
    validation::Finding,
};

/// E12: the target of a promotion has no instance.
#[derive(Debug)]
pub(in crate::lint) struct HeadlessTarget;

impl Rule for HeadlessTarget {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E12", "headless-target")
            .catches("a promotion of a cluster that has no available instance")
            .why(
                "An Aurora secondary that was created without instances is headless: its storage follows, and nothing \
                  in it can become the writer (Aurora User Guide, \"Creating a headless Aurora DB cluster\").",
            )
            .remedy(
                "add an instance of the size that production needs to the target cluster, and wait until it is \
                     available",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut findings = Vec::new();
        let mut judged = BTreeSet::new();
        for (_, step) in input.of_phase(Phase::Promote) {
            let acts = step.calls.is_empty() || step.calls.iter().any(|call| call.mutates);
            let Some(resource) = step.resource.as_ref().filter(|resource| acts && judged.insert(*resource)) else {
                continue;
            };
            let member = input.facts.store(resource).and_then(|store| store.member(to));
            match member.map(|member| (member, member.available_instances)) {
                Some((_, Some(1..))) => {}
                Some((member, Some(0))) => {
                    let call = step.calls.iter().find(|call| call.mutates);
                    let call = call.map_or_else(String::new, |call| format!(" by {}", call.operation));
                    let message =
                        format!("{} in {to} is promoted{call}, and has no available instance", member.address);
                    let evidence = json!({ "store": resource, "address": member.address, "available_instances": 0 });
                    findings.push(self.finding(step.id.as_str(), message, evidence));
                }
                Some((member, None)) => {
                    let unknown = format!("how many instances {} in {to} has is not known", member.address);
                    findings.push(self.unjudged(step.id.as_str(), &unknown));
                }
                None => {
                    let unknown = format!("nothing is known of {resource} in {to}");
                    findings.push(self.unjudged(step.id.as_str(), &unknown));
                }
            }
        }
        findings
    }
}
