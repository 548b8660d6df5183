//! W35: an API's limit is shared by everybody in the account.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo, operation::is_route53},
    validation::Finding,
};

/// Calls a second for the whole of Route 53's API (Route 53 Developer Guide, "Quotas").
const LIMIT: f64 = 5.0;

/// W35: more calls of Route 53's API within a second than an account has.
#[derive(Debug)]
pub(in crate::lint) struct ApiRate;

impl Rule for ApiRate {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W35", "api-rate")
            .catches("more than five calls of Route 53's API within a second, what others call included")
            .why(
                "Route 53 takes five requests a second from an account, for its whole API, and answers the rest with \
                  Throttling (Route 53 Developer Guide, \"Quotas\"): steps that poll at once starve one another.",
            )
            .remedy(
                "let the steps that call Route 53 follow one another, put several changes into one batch, or \
                     quieten what else polls the account",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let calls = input.calls(is_route53, |_| true);
        if calls.is_empty() {
            return Vec::new();
        }
        let starts = starts(input);
        let start = |at: usize| starts.get(at).copied().unwrap_or_default();
        let mut begun: Vec<(Duration, &str)> =
            calls.iter().map(|made| (start(made.at), made.step.id.as_str())).collect();
        begun.sort();
        // The fullest second: the calls that begin less than a second after each one.
        let mut until = 0;
        let mut fullest = (0, "");
        for (from, (at, step)) in begun.iter().enumerate() {
            let end = at.saturating_add(Duration::from_secs(1));
            while begun.get(until).is_some_and(|(other, _)| *other < end) {
                until += 1;
            }
            if until - from > fullest.0 {
                fullest = (until - from, *step);
            }
        }
        let others: f64 =
            input.facts.api_rates.iter().filter(|rate| rate.service == "route53").map(|rate| rate.per_second).sum();
        let (count, step) = fullest;
        let planned = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
        if planned + others <= LIMIT {
            return Vec::new();
        }
        let beside = if others > 0.0 { format!(", beside {others} of others") } else { String::new() };
        let message = format!(
            "{count} calls of Route 53's API begin within a second{beside}, and an account has {LIMIT} a second"
        );
        vec![self.finding(step, message, json!({ "planned": count, "others": others, "limit": LIMIT }))]
    }
}

/// When each step begins if every step before it takes as long as half of its runs do.
fn starts(input: &LintInput<'_>) -> Vec<Duration> {
    let mut starts = Vec::with_capacity(input.graph.len());
    let mut ends: Vec<Duration> = Vec::with_capacity(input.graph.len());
    for (at, step) in input.steps() {
        let start =
            input.graph.before(at).iter().filter_map(|before| ends.get(*before)).max().copied().unwrap_or_default();
        starts.push(start);
        ends.push(start.saturating_add(step.estimate.p50));
    }
    starts
}
