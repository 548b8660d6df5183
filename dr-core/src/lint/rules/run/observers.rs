//! W37: observers that together can be believed when a region is gone.

use std::collections::BTreeSet;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    validation::Finding,
};

/// Fewer cannot outvote one that is cut off.
const FEWEST: usize = 3;

/// W37: too few observers, a quorum that needs the failed region, or all of them in one place.
#[derive(Debug)]
pub(in crate::lint) struct ObserverQuorum;

impl Rule for ObserverQuorum {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W37", "observer-quorum")
            .catches("observers that cannot be believed when a region is gone")
            .why(
                "Two observers cannot tell a lost region from a lost observer, and those that share a region \
                 share its fate.",
            )
            .remedy(
                "three observers or more, each in a region of its own, and a quorum that can be met without \
                 the failed one",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let observers = input.topology.observers();
        let quorum = input.topology.detection().quorum;
        let places: BTreeSet<&str> = observers.iter().map(|observer| observer.region.as_str()).collect();
        let mut findings = Vec::new();
        if observers.len() < FEWEST {
            let message = format!("{} observer(s) cannot tell a lost region from a lost observer", observers.len());
            findings.push(self.finding("observers", message, json!({ "observers": observers.len() })));
        }
        if let ([_, _, ..], [only]) = (observers, places.iter().collect::<Vec<_>>().as_slice()) {
            let message = format!("every observer is in {only}, and shares its fate");
            findings.push(self.finding("observers", message, json!({ "region": only })));
        }
        if let Some(failed) = input.failed_region() {
            let left = observers.iter().filter(|observer| observer.region != *failed).count();
            if u32::try_from(left).is_ok_and(|left| left < quorum) {
                let message = format!("a quorum of {quorum} cannot be met by the {left} observers outside {failed}");
                findings.push(self.finding("observers", message, json!({ "quorum": quorum, "outside": left })));
            }
        }
        findings
    }
}
