use serde_json::Value;

use super::{Gate, Group, GroupKind, OUTPUT_KEY, Plan, PlanProblem, PlanStep, plan::Draft};
use crate::model::StepId;

/// Takes a plan into a draft as the group `id`: every name in it becomes `<id>/<name>`.
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
