//! E19: an unhealthy secondary is never answered.

use serde_json::{Value, json};

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::{GoalKind, RecordFact, RecordRole, TrafficFact},
    validation::Finding,
};

/// E19: a SECONDARY record that Route 53 would not answer with.
#[derive(Debug)]
pub(in crate::lint) struct SecondaryIneligible;

/// What is known of whether a record could be answered.
enum Eligible {
    Yes,
    No(String, Value),
    Unknown(String),
}

impl Rule for SecondaryIneligible {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E19", "secondary-ineligible")
            .catches(
                "a shift to a SECONDARY record whose target groups have no healthy target, or whose check is \
                      unhealthy",
            )
            .why(
                "When both records are unhealthy, Route 53 answers with the primary. An alias that evaluates its \
                  target's health is unhealthy when any target group of the load balancer has none: \"A target group \
                  that has no registered targets is considered unhealthy\" (Route 53 Developer Guide, \"How Amazon \
                  Route 53 chooses records when health checking is configured\").",
            )
            .remedy(
                "register at least one healthy target in each target group of the standby, or switch off the \
                     evaluation of its health, before anybody shifts traffic",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let to = input.to();
        let mut findings = Vec::new();
        for traffic in &input.facts.traffic {
            let secondary = traffic.records.iter().find(|record| record.role == RecordRole::Secondary);
            let goes_there = match secondary {
                Some(record) => record.region == *to,
                None => input.plan.goal().kind != GoalKind::Failback,
            };
            let mut shifts = input.shifts();
            let shift = shifts.find(|(_, step)| step.resource.as_ref().is_none_or(|id| *id == traffic.resource));
            let Some((_, step)) = shift.filter(|_| goes_there) else { continue };
            match eligible(input, traffic, secondary) {
                Eligible::Yes => {}
                Eligible::No(why, evidence) => {
                    let message = format!("{} would not be answered with {to}: {why}", traffic.name);
                    findings.push(self.finding(step.id.as_str(), message, evidence));
                }
                Eligible::Unknown(what) => findings.push(self.unjudged(step.id.as_str(), &what)),
            }
        }
        findings
    }
}

fn eligible(input: &LintInput<'_>, traffic: &TrafficFact, secondary: Option<&RecordFact>) -> Eligible {
    match (traffic.secondary_eligible, secondary) {
        (Some(false), _) => {
            Eligible::No("the survey found it not eligible".to_owned(), json!({ "secondary_eligible": false }))
        }
        (Some(true), None) => Eligible::Yes,
        (None, None) => Eligible::Unknown(format!("whether the secondary of {} is healthy is not known", traffic.name)),
        (seen, Some(record)) => match record_eligible(input, record) {
            Eligible::Unknown(_) if seen == Some(true) => Eligible::Yes,
            judged => judged,
        },
    }
}

fn record_eligible(input: &LintInput<'_>, record: &RecordFact) -> Eligible {
    let mut unknown = None;
    match (&record.check, record.check_healthy) {
        (Some(check), Some(false)) => {
            return Eligible::No(format!("its check {check} is unhealthy"), json!({ "check": check }));
        }
        (Some(check), None) => unknown = Some(format!("whether the check {check} is healthy is not known")),
        _ => {}
    }
    let Some(alias) = &record.alias else { return unknown.map_or(Eligible::Yes, Eligible::Unknown) };
    match alias.evaluates_target_health {
        Some(false) => return unknown.map_or(Eligible::Yes, Eligible::Unknown),
        None => return Eligible::Unknown(format!("whether the health of {} counts is not known", alias.target)),
        Some(true) => {}
    }
    let Some(balancer) = alias.load_balancer.as_deref().and_then(|name| input.facts.load_balancer(name)) else {
        return Eligible::Unknown(format!("the target groups of {} are not known", alias.target));
    };
    for group in &balancer.target_groups {
        if group.registered == Some(0) || group.healthy == Some(0) {
            let what = if group.registered == Some(0) { "registered" } else { "healthy" };
            let why = format!("target group {} of {} has no {what} target", group.name, balancer.name);
            return Eligible::No(why, json!(group));
        }
        if group.healthy.is_none() {
            unknown = Some(format!("how many targets of {} are healthy is not known", group.name));
        }
    }
    unknown.map_or(Eligible::Yes, Eligible::Unknown)
}
