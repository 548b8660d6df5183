//! W39: writes do not fail over in an origin group.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// W39: a behaviour that lets writes through to an origin group.
#[derive(Debug)]
pub(in crate::lint) struct WriteBehaviourBehindOriginGroup;

impl Rule for WriteBehaviourBehindOriginGroup {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W39", "write-behaviour-behind-origin-group")
            .catches("a behaviour of a content distribution that allows POST, PUT, PATCH or DELETE and targets an origin \
                      group")
            .why("CloudFront fails over to the second origin for GET, HEAD and OPTIONS alone, and after up to 30 s: \
                  writes stay with the lost region (CloudFront Developer Guide, \"Optimize high availability with origin \
                  failover\").")
            .remedy("let the behaviour for writes target one origin behind the public name that the plan moves")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        const WRITES: [&str; 4] = ["POST", "PUT", "PATCH", "DELETE"];
        let mut findings = Vec::new();
        for distribution in &input.facts.distributions {
            for behaviour in &distribution.behaviours {
                let Some(group) = &behaviour.origin_group else { continue };
                let writes: Vec<&str> =
                    WRITES.into_iter().filter(|write| behaviour.methods.iter().any(|method| method == write)).collect();
                if !writes.is_empty() {
                    let message = format!(
                        "{} of {} sends {} to the origin group {group}, which fails over for reads alone",
                        behaviour.path,
                        distribution.id,
                        writes.join(", ")
                    );
                    findings.push(self.finding(&distribution.id, message, json!(behaviour)));
                }
            }
        }
        findings
    }
}
