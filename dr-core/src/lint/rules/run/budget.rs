//! W32: whether the plan can meet the recovery time objective on paper.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::{Estimate, Phase, PlanStep, TrafficFact},
    spec::format_duration,
    validation::Finding,
};

/// W32: detection, the critical path and the time resolvers keep an answer add up to more than the RTO.
#[derive(Debug)]
pub(in crate::lint) struct RtoBudget;

impl Rule for RtoBudget {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W32", "rto-budget")
            .catches("a plan that cannot meet its recovery time objective on paper")
            .why(
                "Detection at its slowest (I + N*T + (N-1)*I), the critical path, the publication of DNS and \
                 the time resolvers keep an answer add up; nobody makes up for it in the night.",
            )
            .remedy(
                "shorten probe intervals and thresholds, the slowest steps, or the TTL; or agree on a longer \
                 RTO",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        // In a graceful plan nothing has to be detected, and clients are served until the writer moves.
        if input.failed_region().is_none() {
            return Vec::new();
        }
        let detection = input.topology.detect_max().unwrap_or_default();
        let (path, last) = critical_path(input);
        let publication = publication(input);
        let ttl = input.facts.traffic.iter().map(|traffic| traffic.ttl).max().unwrap_or_default();
        let total = detection.saturating_add(path).saturating_add(publication).saturating_add(ttl);
        let rto = input.plan.objectives().rto;
        if total <= rto {
            return Vec::new();
        }
        let gated = input.plan.steps().iter().any(|step| step.gate.is_some());
        let approval = if gated { ", and whatever the approval takes" } else { "" };
        let message = format!(
            "{} at worst, against an RTO of {}: {} to detect, {} for the critical path{}, {}{} of TTL{approval}",
            format_duration(total),
            format_duration(rto),
            format_duration(detection),
            format_duration(path),
            last.map(|step| format!(" up to {}", step.id)).unwrap_or_default(),
            match publication {
                Duration::ZERO => String::new(),
                long => format!("{} until DNS answers anew, ", format_duration(long)),
            },
            format_duration(ttl),
        );
        let seconds = |duration: Duration| duration.as_secs_f64();
        let evidence = json!({
            "detect_s": seconds(detection), "path_s": seconds(path), "publication_s": seconds(publication), "ttl_s": seconds(ttl),
            "total_s": seconds(total), "rto_s": seconds(rto),
        });
        vec![self.finding("plan", message, evidence)]
    }
}

/// The longest way to the last step that clients wait for, and that step. What comes after confirmation is not felt.
fn critical_path<'a>(input: &LintInput<'a>) -> (Duration, Option<&'a PlanStep>) {
    let mut ends: Vec<Duration> = Vec::with_capacity(input.graph.len());
    let mut longest = (Duration::ZERO, None);
    for (at, step) in input.steps() {
        let start =
            input.graph.before(at).iter().filter_map(|before| ends.get(*before)).max().copied().unwrap_or_default();
        let end = start.saturating_add(worst(step));
        ends.push(end);
        let felt = !matches!(step.phase, Phase::Latch | Phase::Restore);
        if felt && end > longest.0 {
            longest = (end, Some(step));
        }
    }
    longest
}

/// How long DNS takes to answer anew after the shift, for names that no step of the plan waits for: a wait is in the
/// critical path already.
fn publication(input: &LintInput<'_>) -> Duration {
    let waited_for = |traffic: &TrafficFact| {
        let looks = |step: &PlanStep| {
            matches!(step.phase, Phase::Shift | Phase::Confirm) && step.calls.iter().all(|call| !call.mutates)
        };
        input.about(&traffic.resource).any(|(_, step)| looks(step))
    };
    let names = input.facts.traffic.iter().filter(|traffic| !waited_for(traffic));
    names.filter_map(|traffic| traffic.publication).max().unwrap_or_default()
}

/// The 95th percentile, or the timeout when there is no estimate.
fn worst(step: &PlanStep) -> Duration {
    if step.estimate == Estimate::default() { step.timeout } else { step.estimate.p95 }
}
