use std::collections::BTreeSet;

use super::super::{LintInput, Report, Rule, RuleInfo, RuleRegistry, lint};
use super::{super::fixtures::case::*, rules::waiver};
use crate::{
    model::StepId,
    spec::Waiver,
    validation::{Finding, Severity},
};

fn judged(case: &Case, waivers: &[Waiver]) -> Report {
    let (plan, topology) = (case.plan(), case.topology());
    lint(&LintInput::new(&plan, &topology, &case.facts).waived(waivers, TODAY))
}

fn tight() -> Case {
    let mut case = Case::new();
    case.objectives.rto = std::time::Duration::from_secs(120);
    case
}

fn reasons(report: &Report) -> Vec<&str> {
    report.refused.iter().map(|refused| refused.reason.as_str()).collect()
}

#[test]
fn a_warning_stops_a_run_until_somebody_waives_it() {
    assert!(!judged(&tight(), &[]).allows_run());
    let report = judged(&tight(), &[waiver("W32")]);
    assert!(report.allows_run(), "{report}");
    assert_eq!(report.waived[0].waiver.who, "Ada");
    let journalled = &report.for_journal()[0];
    assert_eq!(journalled.severity, Severity::Info);
    assert_eq!(journalled.remedy, "waived by Ada until 2027-03-31: measured in the last drill");
}

#[test]
fn an_expired_or_useless_waiver_is_refused_with_its_reason() {
    let expired = Waiver { until: "2026-12-31".parse().unwrap(), ..waiver("W32") };
    let report = judged(&tight(), &[expired, waiver("W99"), waiver("W37")]);
    assert!(!report.allows_run());
    assert_eq!(reasons(&report), ["it has expired", "there is no such rule", "nothing was found that it covers"]);
    let last_day = Waiver { until: TODAY, ..waiver("W32") };
    assert!(judged(&tight(), &[last_day]).allows_run(), "it holds on its last day");
}

#[test]
fn an_error_is_not_waived_unless_its_rule_allows_it() {
    let mut runner = Case::new();
    runner.runner = EAST;
    let report = judged(&runner, &[waiver("E18")]);
    assert!(!report.allows_run());
    assert_eq!(reasons(&report), ["this rule cannot be waived"]);
    let unfenced = Case::new().step("db/promote", |step| step.after.clear());
    assert!(judged(&unfenced, &[waiver("E08")]).allows_run(), "a region may be beyond every fence's reach");
}

#[test]
fn a_waiver_of_one_step_covers_no_other() {
    let unfenced = || Case::new().step("db/promote", |step| step.after.clear());
    let of = |step: &str| Waiver { step: Some(StepId::new(step).unwrap()), ..waiver("E08") };
    assert!(!judged(&unfenced(), &[of("cache/promote")]).allows_run());
    assert!(judged(&unfenced(), &[of("db/promote")]).allows_run());
}

#[test]
fn a_report_is_plain_data() {
    let report = judged(&tight(), &[waiver("W37")]);
    let json = serde_json::to_string(&report).unwrap();
    assert_eq!(serde_json::from_str::<Report>(&json).unwrap(), report);
}

#[test]
fn every_rule_has_a_number_a_name_and_a_remedy_of_its_own() {
    let registry = RuleRegistry::new();
    let numbers: Vec<&str> = registry.iter().map(Rule::number).collect();
    let errors = (1..=26).map(|n| format!("E{n:02}"));
    assert_eq!(numbers, errors.chain((27..=43).map(|n| format!("W{n:02}"))).collect::<Vec<_>>());
    let names: BTreeSet<&str> = registry.iter().map(Rule::name).collect();
    assert_eq!(names.len(), 43, "no two rules share a name");
    for rule in registry.iter() {
        let severity = if rule.number().starts_with('E') { Severity::Error } else { Severity::Warning };
        assert_eq!(rule.severity(), severity, "{}", rule.number());
        let info = rule.info();
        assert!(!rule.name().is_empty() && rule.remedy().len() > 20, "{}", rule.number());
        assert!(info.catches.len() > 20 && info.why.len() > 40, "{}", rule.number());
        // Sentences of a page: what is caught and the remedy are put together with others.
        assert!(info.why.ends_with('.') && !info.catches.ends_with('.') && !info.remedy.ends_with('.'));
    }
}

#[derive(Debug)]
struct NoCache;

impl Rule for NoCache {
    fn info(&self) -> RuleInfo {
        RuleInfo::warning("W32", "no-cache").remedy("leave the cache where it is")
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let steps = input.plan.steps().iter().filter(|step| step.id.as_str().starts_with("cache/"));
        steps.map(|step| self.finding(step.id.as_str(), "a cache".to_owned(), serde_json::Value::Null)).collect()
    }
}

#[test]
fn a_rule_of_the_house_takes_the_place_of_one_with_its_number() {
    let case = tight();
    let (plan, topology) = (case.plan(), case.topology());
    let registry = RuleRegistry::new().with(std::sync::Arc::new(NoCache));
    let report = registry.lint(&LintInput::new(&plan, &topology, &case.facts));
    let found: Vec<&str> = report.findings.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(found, ["W32 no-cache"]);
}

#[test]
fn errors_and_warnings_are_told_apart_and_counted() {
    let mut case = tight();
    case.runner = EAST;
    let report = judged(&case, &[]);
    let checks = |findings: Vec<&Finding>| findings.iter().map(|finding| finding.check.clone()).collect::<Vec<_>>();
    assert_eq!(checks(report.errors().collect()), ["E18 executor-in-failed-region"]);
    let warnings = checks(report.warnings().collect());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("W32 "), "{warnings:?}");
    assert!(report.to_string().ends_with("lint: 1 error, 1 warning, 0 waived"), "{report}");
    assert!(Case::new().report().to_string().ends_with("lint: 0 errors, 0 warnings, 0 waived"));
}
