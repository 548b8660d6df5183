//! W27 and W28: whoever owns a replica count writes it again.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        index::Made,
        operation::{number, text},
    },
    model::{RegionId, ResourceId},
    plan::{Call, Phase, PlanStep, WorkloadFact, WorkloadOwner},
    validation::{Finding, Severity},
};

/// Whether the operation sets a replica count directly.
fn is_scale(operation: &str) -> bool {
    operation.starts_with("k8s:patch ") && operation.ends_with("/scale")
}

/// The scalings of a plan; what puts back is none.
fn scalings<'a>(input: &LintInput<'a>) -> Vec<Made<'a>> {
    input.calls(is_scale, |made| made.call.mutates && made.step.phase != Phase::Restore)
}

/// Workloads by what calls name them with.
struct Workloads<'a> {
    named: BTreeMap<(&'a ResourceId, &'a RegionId, &'a str), &'a WorkloadFact>,
    of_resource: BTreeMap<(&'a ResourceId, &'a RegionId), Vec<&'a WorkloadFact>>,
}

impl<'a> Workloads<'a> {
    fn of(input: &LintInput<'a>) -> Self {
        let mut all = Self { named: BTreeMap::new(), of_resource: BTreeMap::new() };
        for workload in &input.facts.workloads {
            all.named.insert((&workload.resource, &workload.region, &workload.name), workload);
            all.of_resource.entry((&workload.resource, &workload.region)).or_default().push(workload);
        }
        all
    }

    /// The workload that a call changes: the one it names, or the only one of its resource.
    fn changed(&self, step: &PlanStep, call: &Call) -> Option<&'a WorkloadFact> {
        let resource = step.resource.as_ref()?;
        let region = call.endpoints.first()?;
        match text(call, "Workload") {
            Some(name) => self.named.get(&(resource, region, name)).copied(),
            None => match self.of_resource.get(&(resource, region)).map(Vec::as_slice) {
                Some([only]) => Some(*only),
                _ => None,
            },
        }
    }
}

/// W27: a scaling that an autoscaler takes back, or cannot allow.
#[derive(Debug)]
pub(in crate::lint) struct HpaOwnerConflict;

impl Rule for HpaOwnerConflict {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W27", "hpa-owner-conflict")
            .catches("scaling a workload whose autoscaler or ScaledObject has a lower bound below the target; an error \
                      when its upper bound is below it")
            .why("An autoscaler keeps recommendations, not replicas: an idle standby recommends the minimum, and what was \
                  scaled by hand is gone at the next sync (kubernetes/kubernetes, \
                  pkg/controller/podautoscaler/horizontal.go).")
            .remedy("raise minReplicas (and maxReplicas where it is lower) of whatever owns the count, in the same step")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let scalings = scalings(input);
        if scalings.is_empty() || input.facts.workloads.is_empty() {
            return Vec::new();
        }
        let workloads = Workloads::of(input);
        let mut findings = Vec::new();
        for made in scalings {
            let Some(workload) = workloads.changed(made.step, made.call) else { continue };
            let Some((owner, min, max)) = workload.owner.bounds() else { continue };
            let target = number(made.call, "replicas").unwrap_or(u64::from(workload.wanted));
            let raised = |bounds: &[&str]| {
                let enough = |call: &Call| bounds.iter().any(|name| number(call, name).is_some_and(|to| to >= target));
                made.step.calls.iter().any(|call| {
                    call.mutates
                        && patches(call, &workload.owner)
                        && enough(call)
                        && workloads.changed(made.step, call).is_some_and(|changed| std::ptr::eq(changed, workload))
                })
            };
            let (severity, message) = if u64::from(max) < target && !raised(&["maxReplicas", "maxReplicasAtLeast"]) {
                let message = format!("{owner} of {} allows {max} replicas, and {target} are needed", workload.name);
                (Severity::Error, message)
            } else if u64::from(min) < target && !raised(&["minReplicas"]) {
                let message = format!(
                    "{} scales {} to {target}, and {owner} takes it back to what it recommends, {min} or more",
                    made.call.operation, workload.name
                );
                (Severity::Warning, message)
            } else {
                continue;
            };
            let evidence = json!({ "workload": workload.name, "region": workload.region, "min": min, "max": max, "target": target });
            findings.push(self.finding_as(severity, made.step.id.as_str(), message, evidence));
        }
        findings
    }
}

/// Whether the call changes the bounds of such an owner.
fn patches(call: &Call, owner: &WorkloadOwner) -> bool {
    let what = match owner {
        WorkloadOwner::Scale => return false,
        WorkloadOwner::Hpa { .. } => "k8s:patch horizontalpodautoscalers",
        WorkloadOwner::ScaledObject { .. } => "k8s:patch scaledobjects",
    };
    call.operation.starts_with(what)
}

/// W28: an autoscaler over a workload at zero does nothing.
#[derive(Debug)]
pub(in crate::lint) struct HpaZero;

impl Rule for HpaZero {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W28", "hpa-zero")
            .catches("a workload at zero replicas whose autoscaler has a lower bound, with no step that asks for the \
                      first replicas")
            .why("At zero replicas an autoscaler switches itself off (ScalingActive=False) until somebody scales the \
                  workload, whatever its bounds say (Kubernetes, \"Horizontal Pod Autoscaling\", implicit maintenance-mode \
                  deactivation).")
            .remedy("scale the workload to one or more in the same step that raises the bounds")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let asleep = |workload: &&WorkloadFact| {
            let owned = workload.owner.bounds().is_some_and(|(_, min, _)| min > 0);
            workload.region == *to && workload.replicas == 0 && workload.wanted > 0 && owned
        };
        let sleeping: Vec<&WorkloadFact> = input.facts.workloads.iter().filter(asleep).collect();
        if sleeping.is_empty() {
            return Vec::new();
        }
        let workloads = Workloads::of(input);
        let scaled: BTreeSet<&str> = scalings(input)
            .into_iter()
            .filter_map(|made| workloads.changed(made.step, made.call))
            .filter(|workload| workload.region == *to)
            .map(|workload| workload.name.as_str())
            .collect();
        let finding = |workload: &WorkloadFact| {
            let owner = workload.owner.bounds().map(|(owner, ..)| owner).unwrap_or_default();
            let message = format!(
                "{} has no replica in {to}, and {owner} leaves it so: no step asks for the first ones",
                workload.name
            );
            self.finding(workload.resource.as_str(), message, json!(workload))
        };
        sleeping.into_iter().filter(|workload| !scaled.contains(workload.name.as_str())).map(finding).collect()
    }
}
