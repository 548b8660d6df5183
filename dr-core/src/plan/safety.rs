use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Phase, PlanStep};
use crate::model::{RegionId, SafetyRuleId, StepId};

/// Something that a run must not do, whatever its plan says. A rule that refuses a step makes it wait for a person, who
/// can override the rule in his name.
///
/// ```
/// use dr_core::{
///     model::SafetyRuleId,
///     plan::{Phase, SafetyKind, SafetyRule, Selection},
/// };
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let promoted_first = SafetyRule::no_traffic_before_promoted();
/// assert_eq!(promoted_first.id, "no-traffic-before-promoted");
///
/// let never_dark = SafetyRule {
///     id: SafetyRuleId::new("never-dark")?,
///     name: "one region at least holds traffic while the other is left".to_owned(),
///     kind: SafetyKind::Assertion { at_least: 1, leaving: None, steps: Selection::phase(Phase::Shift) },
/// };
/// assert_eq!(serde_json::to_value(&never_dark)?["kind"], "assertion");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SafetyRule {
    /// Its name in controls and records.
    pub id: SafetyRuleId,
    /// What it asks, for a person.
    pub name: String,
    /// What it looks at.
    #[serde(flatten)]
    pub kind: SafetyKind,
}

/// What a safety rule looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum SafetyKind {
    /// So many regions hold traffic, looked up before each of these steps is begun. When that cannot be found out, the
    /// step is refused: nobody guesses.
    Assertion {
        /// How many regions at least.
        at_least: u32,
        /// A region that is not counted: the one that these steps take traffic from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        leaving: Option<RegionId>,
        /// The steps that it guards.
        steps: Selection,
    },
    /// These steps are not begun before those are done. A skipped step is not done: that is what tells a rule from an edge
    /// of the plan.
    Gating {
        /// The steps that it guards.
        steps: Selection,
        /// The steps that must be done before.
        until: Selection,
    },
}

/// Some steps of a plan: those of some phases, and some by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selection {
    /// Every step of these phases.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub phases: Vec<Phase>,
    /// These steps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub steps: Vec<StepId>,
}

impl Selection {
    /// Every step of a phase.
    #[must_use]
    pub fn phase(phase: Phase) -> Self {
        Self { phases: vec![phase], steps: Vec::new() }
    }

    /// Steps by name.
    #[must_use]
    pub fn steps(steps: impl IntoIterator<Item = StepId>) -> Self {
        Self { phases: Vec::new(), steps: steps.into_iter().collect() }
    }

    /// Whether a step is among them.
    #[must_use]
    pub fn holds(&self, step: &PlanStep) -> bool {
        self.phases.contains(&step.phase) || self.steps.contains(&step.id)
    }
}

impl SafetyRule {
    /// No step of [`Phase::Shift`] before every step of [`Phase::Promote`] is done: traffic that arrives at a database
    /// that takes no writes is worse than traffic that does not arrive.
    #[must_use]
    pub fn no_traffic_before_promoted() -> Self {
        Self {
            id: promoted_first(),
            name: "no traffic before every store is promoted".to_owned(),
            kind: SafetyKind::Gating { steps: Selection::phase(Phase::Shift), until: Selection::phase(Phase::Promote) },
        }
    }

    /// The steps that it guards.
    #[must_use]
    pub fn guards(&self) -> &Selection {
        match &self.kind {
            SafetyKind::Assertion { steps, .. } | SafetyKind::Gating { steps, .. } => steps,
        }
    }
}

#[expect(clippy::expect_used, reason = "a literal name that follows the rules of names")]
fn promoted_first() -> SafetyRuleId {
    SafetyRuleId::new("no-traffic-before-promoted").expect("letters and hyphens")
}

/// What is wrong with a plan's safety rules: each rule with a sentence. The steps come after all that they wait for.
pub(super) fn problems(rules: &[SafetyRule], steps: &[PlanStep]) -> Vec<(SafetyRuleId, String)> {
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    let there: BTreeSet<&StepId> =
        if rules.is_empty() { BTreeSet::new() } else { steps.iter().map(|it| &it.id).collect() };
    for rule in rules {
        let mut bad = |message: String| problems.push((rule.id.clone(), message));
        if !seen.insert(&rule.id) {
            bad("another rule has the same name".to_owned());
        }
        let until = match &rule.kind {
            SafetyKind::Assertion { at_least: 0, .. } => {
                bad("it asks for no region at all".to_owned());
                None
            }
            SafetyKind::Assertion { .. } => None,
            SafetyKind::Gating { until, .. } => Some(until),
        };
        let named = rule.guards().steps.iter().chain(until.into_iter().flat_map(|until| &until.steps));
        for missing in named.filter(|named| !there.contains(named)) {
            bad(format!("the plan has no step {missing}"));
        }
        let Some(until) = until else { continue };
        // A step that waits, directly or not, for one that the rule guards can never be done before it.
        let mut after: BTreeSet<&StepId> = BTreeSet::new();
        for step in steps {
            if rule.guards().holds(step) || step.after.iter().any(|before| after.contains(before)) {
                after.insert(&step.id);
            }
        }
        for never in steps.iter().filter(|step| until.holds(step) && after.contains(&step.id)) {
            bad(format!("{} is to be done before a step that it waits for, or before itself", never.id));
        }
    }
    problems
}
