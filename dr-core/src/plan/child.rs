use serde_json::Value;

use super::{
    Gate, Group, GroupKind, OUTPUT_KEY, Plan, PlanProblem, PlanStep, SafetyKind, SafetyRule, Selection, plan::Draft,
};
use crate::model::{SafetyRuleId, StepId};

/// Takes a plan into a draft as the group `id`: every name in it becomes `<id>/<name>`. Its safety rules come with it and
/// guard its own steps, those of a phase by name: the parent's steps of that phase are the parent's to guard.
pub(super) fn flatten(into: &mut Draft, problems: &mut Vec<PlanProblem>, id: StepId, child: &Plan) {
    if *child.goal() != into.goal {
        problems.push(PlanProblem::ChildGoal { child: id.clone(), goal: child.goal().to_string() });
    }
    let mut rename = |name: &StepId| {
        StepId::new(format!("{id}/{name}")).unwrap_or_else(|e| {
            problems.push(PlanProblem::BadName(e.to_string()));
            name.clone()
        })
    };
    let members: Vec<&StepId> = child
        .steps()
        .iter()
        .map(|step| &step.id)
        .chain(child.groups().iter().map(|group| &group.id))
        .filter(|member| child.group_of(member.as_str()).is_none())
        .collect();
    let members = members.into_iter().map(&mut rename).collect();
    let title = format!("{}: {}", child.application(), child.goal());
    let (deadline, plan) = (Some(child.deadline()), Some(child.digest().clone()));
    let application = Some(child.application().clone());
    into.groups.push(Group { id: id.clone(), title, kind: GroupKind::Child, members, deadline, application, plan });
    let moved = [into.goal.from.clone(), into.goal.to.clone()];
    into.standing.extend(child.standing().iter().filter(|region| !moved.contains(region)).cloned());
    for group in child.groups() {
        let members = group.members.iter().map(&mut rename).collect();
        into.groups.push(Group { id: rename(&group.id), members, ..group.clone() });
    }
    for step in child.steps() {
        let mut params = step.params.clone();
        point(&mut params, &mut rename);
        let after = step.after.iter().map(&mut rename).collect();
        into.steps.push(PlanStep { id: rename(&step.id), params, after, ..step.clone() });
    }
    for rule in child.safety_rules() {
        match SafetyRuleId::new(format!("{id}/{}", rule.id)) {
            Ok(named) => into.safety.push(confined(rule, named, &id, child)),
            Err(e) => problems.push(PlanProblem::BadName(e.to_string())),
        }
    }
}

/// A child's rule as the parent's, about the same steps.
fn confined(rule: &SafetyRule, named: SafetyRuleId, id: &StepId, child: &Plan) -> SafetyRule {
    let own = |selection: &Selection| {
        let chosen = child.steps().iter().filter(|step| selection.holds(step));
        // A name that is too long was refused with its step.
        Selection::steps(chosen.filter_map(|step| StepId::new(format!("{id}/{}", step.id)).ok()))
    };
    let kind = match &rule.kind {
        SafetyKind::Assertion { at_least, leaving, steps } => {
            SafetyKind::Assertion { at_least: *at_least, leaving: leaving.clone(), steps: own(steps) }
        }
        SafetyKind::Gating { steps, until } => SafetyKind::Gating { steps: own(steps), until: own(until) },
    };
    SafetyRule { id: named, name: format!("{id}: {}", rule.name), kind }
}

/// Lets every reference to an output point to the renamed step.
fn point(params: &mut Value, rename: &mut impl FnMut(&StepId) -> StepId) {
    match params {
        Value::Object(object) => {
            let target = if object.len() == 1 { object.get(OUTPUT_KEY).and_then(Value::as_str) } else { None };
            match target.map(StepId::new) {
                Some(Ok(step)) => {
                    let renamed = rename(&step).to_string();
                    object.insert(OUTPUT_KEY.to_owned(), Value::String(renamed));
                }
                Some(Err(_)) => {}
                None => object.values_mut().for_each(|value| point(value, rename)),
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|value| point(value, rename)),
        _ => {}
    }
}

impl Plan {
    /// The same plan with a gate before each step of the point of no return that has none.
    pub(super) fn gated(self, gate: &Gate) -> Result<Self, super::InvalidPlan> {
        let points: std::collections::BTreeSet<StepId> =
            self.point_of_no_return().into_iter().map(|step| step.id.clone()).collect();
        self.edit_steps(|step| {
            if points.contains(&step.id) {
                step.gate.get_or_insert_with(|| gate.clone());
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn outputs_are_pointed_at_the_renamed_step_wherever_they_stand() {
        let mut params = json!({ "list": [{ "$output": "a" }, { "deep": { "$output": "b" } }, 1], "$output": "text" });
        point(&mut params, &mut |step| StepId::new(format!("child/{step}")).unwrap());
        let renamed =
            json!({ "list": [{ "$output": "child/a" }, { "deep": { "$output": "child/b" } }, 1], "$output": "text" });
        assert_eq!(params, renamed, "an object with something beside it is no reference");
    }
}
