use std::fmt;

use serde::{Deserialize, Serialize};

use super::{LintInput, Rule, RuleRegistry};
use crate::{
    spec::Waiver,
    validation::{Finding, Severity},
};

/// A finding that somebody decided to live with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WaivedFinding {
    /// What was found.
    pub finding: Finding,
    /// Who decided, why and until when.
    pub waiver: Waiver,
}

/// A waiver that changed nothing.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedWaiver {
    /// The waiver.
    pub waiver: Waiver,
    /// Why it changed nothing.
    pub reason: String,
}

/// What lint says of a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// What stands, errors first, then by rule and in the order of the plan.
    pub findings: Vec<Finding>,
    /// What was found and waived.
    pub waived: Vec<WaivedFinding>,
    /// Waivers that changed nothing.
    pub refused: Vec<RefusedWaiver>,
}

impl Report {
    pub(super) fn new(found: Vec<(&dyn Rule, Finding)>, input: &LintInput<'_>, rules: &RuleRegistry) -> Self {
        let mut report = Self { findings: Vec::new(), waived: Vec::new(), refused: Vec::new() };
        let mut used = vec![false; input.waivers.len()];
        let mut in_vain = vec![false; input.waivers.len()];
        let expired = |waiver: &Waiver| input.today.is_some_and(|today| waiver.until < today);
        for (rule, finding) in found {
            let fits = |waiver: &Waiver| {
                waiver.rule == rule.number()
                    && waiver.step.as_ref().is_none_or(|step| step.as_str() == finding.subject)
                    && !expired(waiver)
                    // Information stops nobody, and needs no excuse.
                    && finding.severity > Severity::Info
            };
            let Some((at, waiver)) = input.waivers.iter().enumerate().find(|(_, waiver)| fits(waiver)) else {
                report.findings.push(finding);
                continue;
            };
            // The finding counts, not the rule: some rules find both, as where a recovery is in place.
            let may = rule.info().waivable || finding.severity < Severity::Error;
            if let Some(mark) = if may { used.get_mut(at) } else { in_vain.get_mut(at) } {
                *mark = true;
            }
            if may {
                report.waived.push(WaivedFinding { finding, waiver: waiver.clone() });
            } else {
                report.findings.push(finding);
            }
        }
        for ((waiver, used), in_vain) in input.waivers.iter().zip(used).zip(in_vain) {
            let reason = if !rules.iter().any(|rule| rule.number() == waiver.rule) {
                "there is no such rule"
            } else if expired(waiver) {
                "it has expired"
            } else if in_vain {
                "this rule cannot be waived"
            } else if used {
                continue;
            } else {
                "nothing was found that it covers"
            };
            report.refused.push(RefusedWaiver { waiver: waiver.clone(), reason: reason.to_owned() });
        }
        report.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        report
    }

    /// Whether the plan may run: nothing stands that is an error or a warning without a waiver.
    #[must_use]
    pub fn allows_run(&self) -> bool {
        self.findings.iter().all(|finding| finding.severity < Severity::Warning)
    }

    /// What stands and blocks the plan whatever anybody says.
    pub fn errors(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Error)
    }

    /// What stands and needs a waiver.
    pub fn warnings(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.severity == Severity::Warning)
    }

    /// Everything for the journal: what stands as it is, what was waived as information that names who waived it.
    #[must_use]
    pub fn for_journal(&self) -> Vec<Finding> {
        let waived = self.waived.iter().map(|WaivedFinding { finding, waiver }| Finding {
            severity: Severity::Info,
            remedy: format!("waived by {} until {}: {}", waiver.who, waiver.until, waiver.why),
            ..finding.clone()
        });
        self.findings.iter().cloned().chain(waived).collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.for_journal() {
            writeln!(f, "{finding}")?;
        }
        for RefusedWaiver { waiver, reason } in &self.refused {
            writeln!(f, "waiver of {} by {} changes nothing: {reason}", waiver.rule, waiver.who)?;
        }
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let (errors, warnings) = (self.errors().count(), self.warnings().count());
        write!(f, "lint: {}, {}, {} waived", count(errors, "error"), count(warnings, "warning"), self.waived.len())
    }
}
