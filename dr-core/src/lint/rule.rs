use std::fmt::Debug;

use serde_json::Value;

use super::LintInput;
use crate::validation::{Finding, Severity};

/// One rule that a plan must keep. Pure: equal inputs give equal findings.
///
/// ```
/// use dr_core::{lint::{LintInput, Rule}, validation::{Finding, Severity}};
///
/// /// A house rule: no run on a plan of more than a hundred steps.
/// #[derive(Debug)]
/// struct ShortPlans;
///
/// impl Rule for ShortPlans {
///     fn number(&self) -> &'static str { "W90" }
///     fn name(&self) -> &'static str { "short-plans" }
///     fn severity(&self) -> Severity { Severity::Warning }
///     fn remedy(&self) -> &'static str { "split the application" }
///     fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
///         let steps = input.plan.steps().len();
///         if steps <= 100 { return Vec::new(); }
///         vec![self.finding("plan", format!("{steps} steps"), steps.into())]
///     }
/// }
/// ```
pub trait Rule: Debug + Send + Sync + 'static {
    /// Its number in the project's list: `E05`.
    fn number(&self) -> &'static str;

    /// Its name: `traffic-before-data`.
    fn name(&self) -> &'static str;

    /// How much a breach matters: an error blocks a plan, a warning needs a waiver.
    fn severity(&self) -> Severity;

    /// What to do about a breach.
    fn remedy(&self) -> &'static str;

    /// Whether a waiver may let a plan run although it breaks this rule. Warnings may be waived, errors as a rule not.
    fn can_be_waived(&self) -> bool {
        self.severity() < Severity::Error
    }

    /// Every breach.
    fn check(&self, input: &LintInput<'_>) -> Vec<Finding>;

    /// A breach of this rule.
    fn finding(&self, subject: &str, message: String, evidence: Value) -> Finding {
        Finding {
            severity: self.severity(),
            subject: subject.to_owned(),
            check: format!("{} {}", self.number(), self.name()),
            message,
            evidence,
            remedy: self.remedy().to_owned(),
        }
    }
}
