//! What the safety rules of a plan say of a step. Pure.
//!
//! Gating rules are decided from the journal, with everything else that is decided. Assertions need a look at the world:
//! the attempt looks right before it asks for its intent to be written, so that a refusal costs one record, and a step that
//! is let through costs its two syncs and no more.

use std::collections::BTreeSet;

use super::{RunView, StepState};
use crate::{
    error::Result,
    model::{RegionId, SafetyRuleId},
    plan::{PlanStep, SafetyKind, SafetyRule},
};

/// What the gating rules say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Ruling {
    /// The step may be begun.
    Clear,
    /// Not yet: what must be done before it still can be.
    Wait,
    /// What must be done before it will not be.
    Refused { rule: SafetyRuleId, why: String },
}

/// The rules that guard a step and that nobody has overridden.
fn standing_rules<'a>(view: &'a RunView, step: &'a PlanStep) -> impl Iterator<Item = &'a SafetyRule> {
    view.plan().safety_rules().iter().filter(|rule| rule.guards().holds(step) && view.overridden(&rule.id).is_none())
}

/// What the gating rules say of a step.
pub(super) fn gating(view: &RunView, step: &PlanStep) -> Ruling {
    let mut ruling = Ruling::Clear;
    for rule in standing_rules(view, step) {
        let SafetyKind::Gating { until, .. } = &rule.kind else { continue };
        for (before, state) in view.steps().filter(|(before, _)| until.holds(before)) {
            match &state.state {
                StepState::Done { .. } => {}
                StepState::Skipped { .. } => {
                    let why = format!("{} is to be done before, and is {}", before.id, state.state.as_str());
                    return Ruling::Refused { rule: rule.id.clone(), why };
                }
                _ => ruling = Ruling::Wait,
            }
        }
    }
    ruling
}

/// The assertions that must be looked up before a step is begun.
pub(super) fn assertions(view: &RunView, step: &PlanStep) -> Vec<SafetyRule> {
    let assertion = |rule: &&SafetyRule| matches!(rule.kind, SafetyKind::Assertion { .. });
    standing_rules(view, step).filter(assertion).cloned().collect()
}

/// Why an assertion does not hold, when it does not. What could not be looked up does not hold.
pub(super) fn violated(rule: &SafetyRule, holding: &Result<BTreeSet<RegionId>>) -> Option<String> {
    let SafetyKind::Assertion { at_least, leaving, .. } = &rule.kind else { return None };
    let holding = match holding {
        Ok(holding) => holding,
        Err(error) => return Some(format!("which regions hold traffic is unknown: {error}")),
    };
    let counted: Vec<&str> =
        holding.iter().filter(|region| Some(*region) != leaving.as_ref()).map(RegionId::as_str).collect();
    if counted.len() >= usize::try_from(*at_least).unwrap_or(usize::MAX) {
        return None;
    }
    let besides = leaving.as_ref().map(|leaving| format!(" besides {leaving}")).unwrap_or_default();
    let who = if counted.is_empty() { "none does".to_owned() } else { format!("these do: {}", counted.join(", ")) };
    Some(format!("{at_least} region(s){besides} must hold traffic; {who}"))
}
