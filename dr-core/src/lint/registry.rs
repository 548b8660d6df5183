use std::sync::Arc;

use super::{LintInput, Report, Rule, rules};

/// The rules that plans are judged by.
#[derive(Clone, Debug)]
pub struct RuleRegistry {
    rules: Vec<Arc<dyn Rule>>,
}

impl Default for RuleRegistry {
    fn default() -> Self {
        Self::new()
    }
}

impl RuleRegistry {
    /// Every rule of the project.
    #[must_use]
    pub fn new() -> Self {
        Self { rules: rules::all() }
    }

    /// Adds a rule of the house. A rule of the same number takes the other's place.
    #[must_use]
    pub fn with(mut self, rule: Arc<dyn Rule>) -> Self {
        self.rules.retain(|other| other.number() != rule.number());
        self.rules.push(rule);
        self
    }

    /// The rules, in the order they are checked.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Rule> {
        self.rules.iter().map(AsRef::as_ref)
    }

    /// Judges a plan.
    #[must_use]
    pub fn lint(&self, input: &LintInput<'_>) -> Report {
        let found = self.iter().flat_map(|rule| rule.check(input).into_iter().map(move |finding| (rule, finding)));
        Report::new(found.collect(), input, self)
    }
}

/// Judges a plan by every rule of the project.
#[must_use]
pub fn lint(input: &LintInput<'_>) -> Report {
    RuleRegistry::new().lint(input)
}
