//! E13: members of different versions cannot hand over to one another.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// E13: a managed failover or switchover between members whose versions differ.
#[derive(Debug)]
pub(in crate::lint) struct EngineSkew;

impl Rule for EngineSkew {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E13", "engine-skew")
            .catches("a managed failover or switchover between members whose engines differ in major or minor version")
            .why(
                "Both are refused unless major and minor versions agree (Aurora User Guide, \"Using switchover or \
                  failover in Amazon Aurora Global Database\"); what is left then is to detach the target.",
            )
            .remedy(
                "bring the members to one version; until then let the plan detach the target \
                     (rds:RemoveFromGlobalCluster), with a guard on the old primary",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let goal = input.plan.goal();
        let mut findings = Vec::new();
        for made in input.changes_of(&["rds:FailoverGlobalCluster", "rds:SwitchoverGlobalCluster"]) {
            let step = made.step;
            let Some(resource) = &step.resource else { continue };
            let version = |region| {
                let member = input.facts.store(resource).and_then(|store| store.member(region));
                member.and_then(|member| member.engine_version.as_deref())
            };
            let (from, to) = match (version(&goal.from), version(&goal.to)) {
                (Some(from), Some(to)) => (from, to),
                (from, _) => {
                    let region = if from.is_none() { &goal.from } else { &goal.to };
                    let unknown = format!("the engine's version of {resource} in {region} is not known");
                    findings.push(self.unjudged(step.id.as_str(), &unknown));
                    continue;
                }
            };
            if major_minor(from) != major_minor(to) {
                let message = format!(
                    "{} is refused: {resource} runs {from} in {} and {to} in {}",
                    made.call.operation, goal.from, goal.to
                );
                let evidence = json!({ "operation": made.call.operation, "from": from, "to": to });
                findings.push(self.finding(step.id.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// The engine's major and minor number. Aurora MySQL writes MySQL's version before its own: `8.0.mysql_aurora.3.04.2`.
fn major_minor(version: &str) -> Vec<&str> {
    let own = version.rfind("aurora.").and_then(|at| version.get(at + "aurora.".len()..)).unwrap_or(version);
    own.split('.').take(2).collect()
}

#[cfg(test)]
mod tests {
    use super::major_minor;

    #[test]
    fn patches_do_not_count() {
        assert_eq!(major_minor("15.4"), major_minor("15.4.1"));
        assert_ne!(major_minor("15.4"), major_minor("15.5"));
        assert_eq!(major_minor("8.0.mysql_aurora.3.04.2"), ["3", "04"]);
        assert_ne!(major_minor("8.0.mysql_aurora.3.04.2"), major_minor("8.0.mysql_aurora.3.05.2"));
    }
}
