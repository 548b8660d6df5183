use std::fmt::Debug;

use serde_json::Value;

use super::{LintInput, RuleInfo};
use crate::validation::{Finding, Severity};

/// One rule that a plan must keep. Pure: equal inputs give equal findings.
///
/// ```
/// use dr_core::{lint::{LintInput, Rule, RuleInfo}, validation::Finding};
///
/// /// A house rule: no run on a plan of more than a hundred steps.
/// #[derive(Debug)]
/// struct ShortPlans;
///
/// impl Rule for ShortPlans {
///     fn info(&self) -> RuleInfo {
///         RuleInfo::warning("W90", "short-plans")
///             .catches("a plan that nobody can read before it runs")
///             .why("whoever approves a plan should have read it")
///             .remedy("split the application")
///     }
///
///     fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
///         let steps = input.plan.steps().len();
///         if steps <= 100 { return Vec::new(); }
///         vec![self.finding("plan", format!("{steps} steps"), steps.into())]
///     }
/// }
/// ```
pub trait Rule: Debug + Send + Sync + 'static {
    /// What the rule is: its number, its name, what it catches and what to do.
    fn info(&self) -> RuleInfo;

    /// Every breach.
    fn check(&self, input: &LintInput<'_>) -> Vec<Finding>;

    /// Its number in the project's list: `E05`.
    fn number(&self) -> &'static str {
        self.info().number
    }

    /// Its name: `traffic-before-data`.
    fn name(&self) -> &'static str {
        self.info().name
    }

    /// How much a breach matters: an error blocks a plan, a warning needs a waiver.
    fn severity(&self) -> Severity {
        self.info().severity
    }

    /// What to do about a breach.
    fn remedy(&self) -> &'static str {
        self.info().remedy
    }

    /// A breach of this rule.
    fn finding(&self, subject: &str, message: String, evidence: Value) -> Finding {
        let info = self.info();
        Finding {
            severity: info.severity,
            subject: subject.to_owned(),
            check: format!("{} {}", info.number, info.name),
            message,
            evidence,
            remedy: info.remedy.to_owned(),
        }
    }

    /// A breach that matters more, or less, than most of this rule.
    fn finding_as(&self, severity: Severity, subject: &str, message: String, evidence: Value) -> Finding {
        Finding { severity, ..self.finding(subject, message, evidence) }
    }

    /// That the rule could not judge something, because a fact that it needs is not known. Never an error by guess.
    fn unjudged(&self, subject: &str, unknown: &str) -> Finding {
        let mut finding = self.finding(subject, format!("could not be judged: {unknown}"), Value::Null);
        finding.severity = Severity::Info;
        finding.remedy = "let a survey see it, or look yourself".to_owned();
        finding
    }
}
