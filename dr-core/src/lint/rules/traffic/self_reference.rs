//! E20: a check must not follow the name that it decides about.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, operation::same_name},
    plan::{CheckFact, HealthCheckFact, TrafficFact},
    validation::Finding,
};

/// E20: a health check that polls the name of a record that uses it.
#[derive(Debug)]
pub(in crate::lint) struct SelfReferentialCheck;

impl Rule for SelfReferentialCheck {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E20", "self-referential-check")
            .catches("a health check that polls the name of a record that uses it, or a name that leads through it")
            .why("Once the record has moved, the check looks at the other region: \"health check results will be \
                  unpredictable\" (Route 53 Developer Guide, \"Values that you specify when you create health checks\").")
            .remedy("let the check poll a name of the region's own, such as api-us-east-1.example.com")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for traffic in &input.facts.traffic {
            let mut polled: Vec<(&str, &str)> = Vec::new();
            if let CheckFact::Endpoint { fqdn } = &traffic.primary_check
                && same_name(fqdn, &traffic.name)
            {
                polled.push(("the primary's check", fqdn));
            }
            for check in input.facts.health_checks.iter().filter(|check| uses(traffic, check)) {
                let names = check.fqdn.iter().chain(&check.resolves_through);
                if let Some(name) = names.into_iter().find(|name| same_name(name, &traffic.name)) {
                    polled.push((&check.id, name));
                }
            }
            if let Some((check, name)) = polled.first() {
                let message = format!("{check} polls {name}, the very name that it decides about");
                let evidence = json!({ "check": check, "record": traffic.name });
                findings.push(self.finding(traffic.resource.as_str(), message, evidence));
            }
        }
        findings
    }
}

/// Whether one of the name's records uses the check.
fn uses(traffic: &TrafficFact, check: &HealthCheckFact) -> bool {
    traffic.records.iter().any(|record| record.check.as_deref() == Some(check.id.as_str()))
}
