//! W38: going back is a decision, and not a hasty one.

use std::time::Duration;

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    plan::GoalKind,
    spec::format_duration,
    validation::Finding,
};

/// W38: a failback that nobody approves, or that follows too soon.
#[derive(Debug)]
pub(in crate::lint) struct AutoFailback;

impl Rule for AutoFailback {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W38", "auto-failback")
            .catches(
                "a failback whose shift nobody has to approve, or a hold-down shorter than health and lag need to be \
                      stable",
            )
            .why(
                "A region that comes back is seldom back for good; traffic that goes to and fro loses data each time \
                  (RFC 2439 damps routes for the same reason).",
            )
            .remedy(
                "put an approval before the shift of the failback, and a hold-down (detection.hold_down) longer than \
                     the probes' clear window and the stores' lag",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        if input.plan.goal().kind != GoalKind::Failback {
            return Vec::new();
        }
        let mut findings = Vec::new();
        let gates = input.graph.set(input.steps().filter(|(_, step)| step.gate.is_some()).map(|(at, _)| at));
        let approved = input.graph.after_any(&gates);
        for (_, step) in input.shifts().filter(|(at, _)| !gates.contains(*at) && !approved.contains(*at)) {
            let message = format!("clients go back to {} without anybody's approval", input.to());
            findings.push(self.finding(step.id.as_str(), message, json!({ "shift": step.id })));
        }
        let dwell = input.topology.detection().hold_down;
        let clear = |probe: &crate::spec::ProbeSpec| probe.interval.saturating_mul(probe.threshold.clear);
        let health = input.topology.probes().iter().map(clear).max().unwrap_or_default();
        let lag = input
            .facts
            .stores
            .iter()
            .filter_map(|store| store.member(input.to()).and_then(|member| member.lag))
            .max()
            .unwrap_or_default();
        let window: Duration = health.max(lag);
        if dwell < window {
            let message = format!(
                "a hold-down of {} is shorter than the {} in which health and lag prove stable",
                format_duration(dwell),
                format_duration(window)
            );
            let evidence = json!({ "hold_down_s": dwell.as_secs_f64(), "window_s": window.as_secs_f64() });
            findings.push(self.finding("plan", message, evidence));
        }
        findings
    }
}
