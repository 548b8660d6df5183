//! E21: a protected record is not changed.

use serde_json::json;

use crate::{
    lint::{
        LintInput, Rule, RuleInfo,
        operation::{same_name, text},
    },
    validation::Finding,
};

/// E21: a change of a record that a protection forbids.
#[derive(Debug)]
pub(in crate::lint) struct ProtectedRecords;

impl Rule for ProtectedRecords {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E21", "protected-record")
            .catches("a change of a name and type that a record protection covers")
            .why(
                "ChangeResourceRecordSets then fails with InvalidChangeBatch, the whole batch with it (Route 53 API, \
                  CreateResourceRecordSetProtections).",
            )
            .remedy("take the protection away before the failover, or move traffic without changing the record")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for made in input.changes_of(&["route53:ChangeResourceRecordSets"]) {
            let (call, step) = (made.call, made.step.id.as_str());
            let traffic =
                || input.facts.traffic.iter().find(|traffic| made.step.resource.as_ref() == Some(&traffic.resource));
            let name = text(call, "Name").or_else(|| traffic().map(|traffic| traffic.name.as_str()));
            let zone = text(call, "HostedZoneId").or_else(|| traffic().and_then(|traffic| traffic.zone.as_deref()));
            let protected = zone.and_then(|zone| input.facts.zone(zone)?.protected.as_ref());
            let (Some(name), Some(protected)) = (name, protected) else {
                findings.push(self.unjudged(step, "the protections of the records that it changes are not known"));
                continue;
            };
            let kind = text(call, "Type");
            let covers = |record_type: &str| kind.is_none_or(|kind| kind.eq_ignore_ascii_case(record_type));
            let hit = protected.iter().find(|record| same_name(&record.name, name) && covers(&record.record_type));
            if let Some(record) = hit {
                let message = format!(
                    "{} changes {} {}, which is protected: the whole batch is refused",
                    call.operation, record.name, record.record_type
                );
                findings.push(self.finding(step, message, json!(record)));
            }
        }
        findings
    }
}
