use std::fmt::Write as _;

use super::{Gate, Group, GroupKind, Phase, Plan, PlanStep};
use crate::step::Reversibility;

/// The plan for a person at a terminal: phases in order, a line a step, the point of no return marked.
#[must_use]
pub fn to_text(plan: &Plan) -> String {
    let mut out = String::new();
    let goal = plan.goal();
    let _ = writeln!(out, "Plan {} for {}: {goal}", plan.digest().short(), plan.application());
    let _ = writeln!(
        out,
        "Objectives: RTO {}, RPO {}; {} steps; the run ends within {}.",
        seconds(plan.objectives().rto),
        seconds(plan.objectives().rpo),
        plan.steps().len(),
        seconds(plan.deadline()),
    );
    if !plan.standing().is_empty() {
        let regions: Vec<&str> = plan.standing().iter().map(|region| region.as_str()).collect();
        let _ = writeln!(out, "Standing by, and not moved: {}.", regions.join(", "));
    }
    if let Some(goal) = plan.recovery() {
        let (stays, within) = (seconds(goal.stays), seconds(goal.within));
        let _ =
            writeln!(out, "Recovered when health has stayed green for {stays}, within {within} after the last step.");
    }
    for rule in plan.safety_rules() {
        let _ = writeln!(out, "Safety rule {}: {}.", rule.id, rule.name);
    }
    let no_return: Vec<_> = plan.point_of_no_return().iter().map(|step| step.id.clone()).collect();
    let width = plan.steps().iter().map(|step| step.id.as_str().len()).max().unwrap_or(0);
    for phase in Phase::ALL {
        let steps: Vec<&PlanStep> = plan.steps().iter().filter(|step| step.phase == phase).collect();
        if steps.is_empty() {
            continue;
        }
        let _ = writeln!(out, "\n{}", phase.as_str().to_uppercase());
        for step in steps {
            if no_return.contains(&step.id) {
                let _ = writeln!(out, "  ---- point of no return ----");
            }
            if let Some(gate) = &step.gate {
                let _ = writeln!(out, "  ?? approval{}: {}", terms(gate), gate.question);
            }
            let mark = match step.reversibility {
                Reversibility::ReadOnly => ' ',
                Reversibility::Reversible => '~',
                Reversibility::Irreversible => '!',
            };
            let region = step.region.as_ref().map_or("-", |region| region.as_str());
            let _ = writeln!(
                out,
                "  {mark} {:width$}  {region:<12} ~{:>5}, at most {:>5}  {}{}",
                step.id,
                seconds(step.estimate.p50),
                seconds(step.timeout),
                step.title,
                step.ungraceful.map_or_else(String::new, |rule| format!(" (ungraceful: {rule})")),
            );
        }
    }
    if !plan.groups().is_empty() {
        let _ = writeln!(out, "\nGROUPS");
        for group in plan.groups() {
            let depth = plan.groups_around(group.id.as_str()).count();
            let members: Vec<&str> = group.members.iter().map(|member| member.as_str()).collect();
            let limit = group.deadline.map_or_else(String::new, |limit| format!(", within {}", seconds(limit)));
            let title = if group.title == group.id.as_str() { String::new() } else { format!(" {}", group.title) };
            let (indent, id, kind) = ("  ".repeat(depth + 1), &group.id, group.kind);
            let _ = writeln!(out, "{indent}{id} ({kind}{limit}){title}: {}", members.join(", "));
        }
    }
    let _ = writeln!(out, "\n  (~ can be taken back, ! cannot, blank changes nothing)");
    out
}

/// Who may approve, and until when.
fn terms(gate: &Gate) -> String {
    let mut terms = String::new();
    if !gate.approvers.is_empty() {
        let _ = write!(terms, " by {}", gate.approvers.join(" or "));
    }
    if let Some(expires) = gate.expires {
        let _ = write!(terms, " within {}", seconds(expires));
    }
    terms
}

/// The plan as a Graphviz digraph, its groups as clusters.
#[must_use]
pub fn to_dot(plan: &Plan) -> String {
    let mut out =
        String::from("digraph plan {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for group in plan.groups().iter().filter(|group| plan.group_of(group.id.as_str()).is_none()) {
        cluster(plan, group, 1, &mut out);
    }
    for step in plan.steps() {
        if plan.group_of(step.id.as_str()).is_none() {
            node(step, 1, &mut out);
        }
        for before in &step.after {
            let _ = writeln!(out, "  \"{}\" -> \"{}\";", escape(before.as_str()), escape(step.id.as_str()));
        }
    }
    out.push_str("}\n");
    out
}

/// A group and what is in it. Checked plans have no group in itself.
fn cluster(plan: &Plan, group: &Group, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    let id = escape(group.id.as_str());
    let label = if group.title == group.id.as_str() { id.clone() } else { format!("{id}\\n{}", escape(&group.title)) };
    let style = match group.kind {
        GroupKind::Serial => "solid",
        GroupKind::Parallel => "dashed",
        GroupKind::Child => "bold",
    };
    let _ = writeln!(out, "{indent}subgraph \"cluster_{id}\" {{\n{indent}  label=\"{label}\"; style={style};");
    for member in &group.members {
        match (plan.step(member.as_str()), plan.group(member.as_str())) {
            (Some(step), _) => node(step, depth + 1, out),
            (None, Some(inner)) => cluster(plan, inner, depth + 1, out),
            (None, None) => {}
        }
    }
    let _ = writeln!(out, "{indent}}}");
}

fn node(step: &PlanStep, depth: usize, out: &mut String) {
    let colour = match step.reversibility {
        Reversibility::ReadOnly => "gray50",
        Reversibility::Reversible => "black",
        Reversibility::Irreversible => "red3",
    };
    let (indent, id) = ("  ".repeat(depth), escape(step.id.as_str()));
    let _ = writeln!(out, "{indent}\"{id}\" [label=\"{id}\\n{}\", color={colour}];", escape(&step.title));
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

fn seconds(d: std::time::Duration) -> String {
    let s = d.as_secs();
    if s >= 600 && s.is_multiple_of(60) { format!("{} min", s / 60) } else { format!("{s} s") }
}
