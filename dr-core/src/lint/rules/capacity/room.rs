//! W40: room that is not promised may be gone when everybody fails over.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    model::ResourceId,
    plan::{CapacityFact, Phase},
    validation::Finding,
};

/// W40: a target region without room for what the plan scales up.
#[derive(Debug)]
pub(in crate::lint) struct CapacityNotReserved;

impl Rule for CapacityNotReserved {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W40", "capacity-not-reserved")
            .catches("a plan that needs more room in the target region than is free or reserved there")
            .why("When a region is lost, everybody asks the next one for machines at once. Only what already runs, or was \
                  reserved, is sure (AWS, \"Static stability using Availability Zones\").")
            .remedy("reserve capacity, keep nodes or placeholder pods running in the standby, or scale it up beforehand")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut resources: Vec<&ResourceId> =
            input.of_phase(Phase::Scale).filter_map(|(_, step)| step.resource.as_ref()).collect();
        resources.sort();
        resources.dedup();
        let mut findings = Vec::new();
        for resource in resources {
            let delta = input
                .facts
                .workloads
                .iter()
                .filter(|workload| workload.resource == *resource && workload.region == *to)
                .map(|workload| u64::from(workload.wanted.saturating_sub(workload.replicas)))
                .sum::<u64>();
            let here = |fact: &&CapacityFact| fact.resource == *resource && fact.region == *to;
            let mut facts = input.facts.capacity.iter().filter(here).peekable();
            if facts.peek().is_none() && delta > 0 {
                let unknown = format!("{delta} more pods are needed in {to}, and its free capacity is not known");
                findings.push(self.unjudged(resource.as_str(), &unknown));
            }
            for fact in facts {
                let needed = fact.needed.or((fact.unit == "pods").then_some(delta));
                let (Some(needed), Some(free)) = (needed, fact.free) else {
                    let unknown = format!("how many {} are needed or free in {to} is not known", fact.unit);
                    findings.push(self.unjudged(resource.as_str(), &unknown));
                    continue;
                };
                let reserved = fact.reserved.unwrap_or_default();
                if needed > free.saturating_add(reserved) {
                    let message = format!(
                        "{needed} more {} are needed in {to}, where {free} are free and {reserved} reserved",
                        fact.unit
                    );
                    findings.push(self.finding(resource.as_str(), message, json!(fact)));
                }
            }
        }
        findings
    }
}
