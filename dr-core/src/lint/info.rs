use crate::validation::Severity;

/// What a rule is, for findings, waivers and the documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleInfo {
    /// Its number in the project's list: `E05`.
    pub number: &'static str,
    /// Its name: `traffic-before-data`.
    pub name: &'static str,
    /// How much a breach matters: an error blocks a plan, a warning needs a waiver.
    pub severity: Severity,
    /// What it catches.
    pub catches: &'static str,
    /// Why that matters, and who says so.
    pub why: &'static str,
    /// What to do about a breach.
    pub remedy: &'static str,
    /// Whether a waiver excuses even an error of it. Warnings can always be waived, errors as a rule not.
    pub waivable: bool,
}

impl RuleInfo {
    /// A rule whose breach blocks a plan.
    #[must_use]
    pub const fn error(number: &'static str, name: &'static str) -> Self {
        Self { number, name, severity: Severity::Error, catches: "", why: "", remedy: "", waivable: false }
    }

    /// A rule whose breach needs a waiver.
    #[must_use]
    pub const fn warning(number: &'static str, name: &'static str) -> Self {
        Self { severity: Severity::Warning, ..Self::error(number, name) }
    }

    /// What it catches.
    #[must_use]
    pub const fn catches(mut self, catches: &'static str) -> Self {
        self.catches = catches;
        self
    }

    /// Why that matters, and who says so.
    #[must_use]
    pub const fn why(mut self, why: &'static str) -> Self {
        self.why = why;
        self
    }

    /// What to do about a breach.
    #[must_use]
    pub const fn remedy(mut self, remedy: &'static str) -> Self {
        self.remedy = remedy;
        self
    }

    /// An error of it is excused by a waiver: what it asks for may be beyond everybody's reach, and then a person decides.
    #[must_use]
    pub const fn waivable(mut self) -> Self {
        self.waivable = true;
        self
    }
}
