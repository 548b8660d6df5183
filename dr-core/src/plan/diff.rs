use std::{collections::BTreeSet, fmt};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Group, Phase, Plan, PlanDigest, PlanStep};
use crate::model::StepId;

/// A field that two plans fill differently.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where it is, as a path: `timeout.secs`, `params.replicas`, `calls[1].args.AllowDataLoss`.
    pub field: String,
    /// What the first plan has there; absent when it has nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What the second plan has there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// A step or group that both plans have, with what differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Changed {
    /// Its name.
    pub id: StepId,
    /// Its fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Change>,
    /// What it waits for only in the second plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits_for: Vec<StepId>,
    /// What it waits for only in the first plan.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub no_longer_waits_for: Vec<StepId>,
}

/// How one plan differs from another: what a reviewer reads before approving the second.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PlanDiff {
    /// The first plan.
    pub from: PlanDigest,
    /// The second plan.
    pub to: PlanDigest,
    /// What is said of the whole: the goal, the objectives, the deadline, the regions.
    pub fields: Vec<Change>,
    /// Steps that only the second plan has, in its order.
    pub added: Vec<StepId>,
    /// Steps that only the first plan has, in its order.
    pub removed: Vec<StepId>,
    /// Steps that both have, not alike.
    pub changed: Vec<Changed>,
    /// Groups that only the second plan has.
    pub groups_added: Vec<StepId>,
    /// Groups that only the first plan has.
    pub groups_removed: Vec<StepId>,
    /// Groups that both have, not alike.
    pub groups_changed: Vec<Changed>,
    /// The phases in the order in which their first steps come, of either plan, when that order is not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phases: Option<(Vec<Phase>, Vec<Phase>)>,
    /// The steps from which there is no way back, of either plan, when they are not the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point_of_no_return: Option<(Vec<StepId>, Vec<StepId>)>,
}

/// How the second plan differs from the first. Pure.
#[must_use]
pub fn diff(first: &Plan, second: &Plan) -> PlanDiff {
    let differing = |one: &Plan, other: &Plan| {
        let missing = one.steps().iter().filter(|step| other.step(step.id.as_str()).is_none());
        missing.map(|step| step.id.clone()).collect()
    };
    let only_group = |one: &Plan, other: &Plan| {
        let missing = one.groups().iter().filter(|group| other.group(group.id.as_str()).is_none());
        missing.map(|group| group.id.clone()).collect()
    };
    let both = |one: &[Phase], other: &[Phase]| (one != other).then(|| (one.to_vec(), other.to_vec()));
    let names = |plan: &Plan| plan.point_of_no_return().into_iter().map(|step| step.id.clone()).collect::<Vec<_>>();
    let (points, other_points) = (names(first), names(second));
    PlanDiff {
        from: first.digest().clone(),
        to: second.digest().clone(),
        fields: changes(&heading(first), &heading(second)),
        added: differing(second, first),
        removed: differing(first, second),
        changed: second.steps().iter().filter_map(|step| changed_step(first.step(step.id.as_str())?, step)).collect(),
        groups_added: only_group(second, first),
        groups_removed: only_group(first, second),
        groups_changed: second
            .groups()
            .iter()
            .filter_map(|group| changed_group(first.group(group.id.as_str())?, group))
            .collect(),
        phases: both(&phases(first), &phases(second)),
        point_of_no_return: (points != other_points).then_some((points, other_points)),
    }
}

/// What is said of the whole plan.
fn heading(plan: &Plan) -> Value {
    let mut stored = serde_json::to_value(plan).unwrap_or_default();
    if let Some(fields) = stored.as_object_mut() {
        fields.retain(|field, _| field != "steps" && field != "groups");
    }
    stored
}

/// The phases in the order in which their first steps come.
fn phases(plan: &Plan) -> Vec<Phase> {
    let mut seen = BTreeSet::new();
    plan.steps().iter().map(|step| step.phase).filter(|phase| seen.insert(*phase)).collect()
}

fn changed_step(one: &PlanStep, other: &PlanStep) -> Option<Changed> {
    if one == other {
        return None;
    }
    let fields = |step: &PlanStep| {
        let mut stored = serde_json::to_value(step).unwrap_or_default();
        if let Some(fields) = stored.as_object_mut() {
            fields.retain(|field, _| field != "after");
        }
        stored
    };
    let missing = |from: &PlanStep, to: &PlanStep| {
        to.after.iter().filter(|before| !from.after.contains(before)).cloned().collect::<Vec<_>>()
    };
    Some(Changed {
        id: other.id.clone(),
        fields: changes(&fields(one), &fields(other)),
        waits_for: missing(one, other),
        no_longer_waits_for: missing(other, one),
    })
}

fn changed_group(one: &Group, other: &Group) -> Option<Changed> {
    let stored = |group: &Group| serde_json::to_value(group).unwrap_or_default();
    (one != other).then(|| Changed {
        id: other.id.clone(),
        fields: changes(&stored(one), &stored(other)),
        waits_for: Vec::new(),
        no_longer_waits_for: Vec::new(),
    })
}

fn changes(one: &Value, other: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    compare("", Some(one), Some(other), &mut found);
    found
}

/// Goes down as far as both have the same form, so that a change is told where it is.
fn compare(field: &str, one: Option<&Value>, other: Option<&Value>, into: &mut Vec<Change>) {
    match (one, other) {
        (Some(Value::Object(one)), Some(Value::Object(other))) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let path = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                compare(&path, one.get(key), other.get(key), into);
            }
        }
        (Some(Value::Array(one)), Some(Value::Array(other))) if one.len() == other.len() => {
            for (at, (one, other)) in one.iter().zip(other).enumerate() {
                compare(&format!("{field}[{at}]"), Some(one), Some(other), into);
            }
        }
        (one, other) if one == other => {}
        (one, other) => {
            into.push(Change { field: field.to_owned(), before: one.cloned(), after: other.cloned() });
        }
    }
}

impl PlanDiff {
    /// Whether the plans are the same.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.from == self.to
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        write!(f, "{}: {} -> {}", self.field, shown(&self.before), shown(&self.after))
    }
}

impl fmt::Display for PlanDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from.short(), self.to.short());
        if self.is_empty() {
            return writeln!(f, "Plan {from} and plan {to} are the same.");
        }
        writeln!(f, "From plan {from} to plan {to}:")?;
        self.fields.iter().try_for_each(|change| writeln!(f, "  ~ {change}"))?;
        if let Some((one, other)) = &self.phases {
            let line = |phases: &[Phase]| phases.iter().map(|phase| phase.as_str()).collect::<Vec<_>>().join(", ");
            writeln!(f, "  ~ order of phases: {} -> {}", line(one), line(other))?;
        }
        if let Some((one, other)) = &self.point_of_no_return {
            writeln!(f, "  ~ point of no return: {} -> {}", list(one), list(other))?;
        }
        self.removed.iter().try_for_each(|id| writeln!(f, "- step {id}"))?;
        self.added.iter().try_for_each(|id| writeln!(f, "+ step {id}"))?;
        self.changed.iter().try_for_each(|changed| several(f, "step", changed))?;
        self.groups_removed.iter().try_for_each(|id| writeln!(f, "- group {id}"))?;
        self.groups_added.iter().try_for_each(|id| writeln!(f, "+ group {id}"))?;
        self.groups_changed.iter().try_for_each(|changed| several(f, "group", changed))
    }
}

fn several(f: &mut fmt::Formatter<'_>, what: &str, changed: &Changed) -> fmt::Result {
    writeln!(f, "~ {what} {}", changed.id)?;
    changed.fields.iter().try_for_each(|change| writeln!(f, "    {change}"))?;
    changed.no_longer_waits_for.iter().try_for_each(|id| writeln!(f, "    no longer waits for {id}"))?;
    changed.waits_for.iter().try_for_each(|id| writeln!(f, "    waits for {id}"))
}

fn list(ids: &[StepId]) -> String {
    if ids.is_empty() {
        return "none".to_owned();
    }
    ids.iter().map(StepId::as_str).collect::<Vec<_>>().join(", ")
}
