//! E26: what is changed is put back from what was there, or not at all.

use serde_json::json;

use crate::{
    lint::{LintInput, Rule, RuleInfo},
    step::Reversibility,
    validation::Finding,
};

/// E26: a change of which nothing is kept, or that says it is none.
#[derive(Debug)]
pub(in crate::lint) struct NoBeforeImage;

impl Rule for NoBeforeImage {
    fn info(&self) -> RuleInfo {
        RuleInfo::error("E26", "no-before-image")
            .catches(
                "a step that changes something and keeps nothing of what stood before, or declares that it changes \
                      nothing and so has no inverse",
            )
            .why(
                "A failback that sets the opposite instead of what was there loses what it did not know of: a record's \
                  health check, an autoscaler's bounds, an inversion. A step that cannot be taken back is known by its \
                  approval; it still tells what stood before.",
            )
            .remedy(
                "give the step a before-image (Step::before_image, Step::keeps_before_image) and a compensation that \
                     restores it, and declare what it changes",
            )
    }

    fn check(&self, input: &LintInput<'_>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut silent = Vec::new();
        for (_, step) in input.steps() {
            let Some(call) = step.calls.iter().find(|call| call.mutates) else { continue };
            let message = match (step.reversibility, step.before_image) {
                (Reversibility::ReadOnly, _) => {
                    format!("{} changes something, and the step declares that it changes nothing", call.operation)
                }
                (_, Some(false)) => {
                    format!("{} changes something, and nothing is kept of what stood before", call.operation)
                }
                (_, None) => {
                    silent.push(step.id.as_str());
                    continue;
                }
                (_, Some(true)) => continue,
            };
            let evidence = json!({ "operation": call.operation, "reversibility": step.reversibility });
            findings.push(self.finding(step.id.as_str(), message, evidence));
        }
        if let Some(first) = silent.first() {
            let others = match silent.len() {
                1 => String::new(),
                more => format!(" and {} more steps", more - 1),
            };
            let unknown = format!("{first}{others} do not say whether they keep what stood before");
            findings.push(self.unjudged("plan", &unknown));
        }
        findings
    }
}
