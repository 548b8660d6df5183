//! W31: a check has to be able to fail.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, operation::same_name},
    plan::{AnsweredBy, CheckFact, CheckProtocol, HealthCheckFact},
    validation::{Finding, Severity},
};

/// W31: a health check that a broken region passes.
#[derive(Debug)]
pub(in crate::lint) struct ShallowOrRedirectHealth;

impl Rule for ShallowOrRedirectHealth {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W31", "shallow-or-redirect-health")
            .catches(
                "a health check that looks for no text, whose path redirects, or, as an error, that a content \
                      distribution or another region answers",
            )
            .why(
                "Any status from 200 to 399 is healthy, a redirect to a login or maintenance page included; a cache in \
                  front answers for a region that is gone (Route 53 Developer Guide, \"How Amazon Route 53 determines \
                  whether a health check is healthy\").",
            )
            .remedy(
                "let the check look for a text that names the region and says that it can write, such as \
                     \"region\":\"us-east-1\",\"writer\":true, at the region's own name",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for check in &input.facts.health_checks {
            let found =
                |severity: Severity, message: String| self.finding_as(severity, &check.id, message, json!(check));
            match &check.answered_by {
                Some(AnsweredBy::Cdn) => findings.push(found(
                    Severity::Error,
                    format!("a content distribution answers the check of {}, whatever that region does", check.judges),
                )),
                Some(AnsweredBy::Region { region }) if *region != check.judges => {
                    findings.push(found(Severity::Error, format!("{region} answers the check of {}", check.judges)));
                }
                _ => {}
            }
            if check.redirects == Some(true) {
                let message =
                    format!("the check of {} is answered with a redirect, which counts as healthy", check.judges);
                findings.push(found(Severity::Warning, message));
            }
            match (check.protocol, check.matches_text) {
                (CheckProtocol::Tcp, _) => {
                    let message = format!("the check of {} connects and asks nothing", check.judges);
                    findings.push(found(Severity::Warning, message));
                }
                (_, Some(false)) => {
                    let message = format!("the check of {} takes any answer from 200 to 399 for health", check.judges);
                    findings.push(found(Severity::Warning, message));
                }
                (_, None) => findings.push(self.unjudged(&check.id, "whether it looks for a text is not known")),
                (_, Some(true)) => {}
            }
        }
        for traffic in &input.facts.traffic {
            let CheckFact::Endpoint { fqdn } = &traffic.primary_check else { continue };
            let polls = |check: &HealthCheckFact| check.fqdn.as_deref().is_some_and(|name| same_name(name, fqdn));
            if !input.facts.health_checks.iter().any(polls) {
                let unknown = format!("what the check of {fqdn} looks for is not known");
                findings.push(self.unjudged(traffic.resource.as_str(), &unknown));
            }
        }
        findings
    }
}
