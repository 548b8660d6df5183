use std::fmt::Write as _;

use super::{Phase, Plan, PlanStep};
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
                let _ = writeln!(out, "  ?? approval: {}", gate.question);
            }
            let mark = match step.reversibility {
                Reversibility::ReadOnly => ' ',
                Reversibility::Reversible => '~',
                Reversibility::Irreversible => '!',
            };
            let region = step.region.as_ref().map_or("-", |region| region.as_str());
            let _ = writeln!(
                out,
                "  {mark} {:width$}  {region:<12} ~{:>5}, at most {:>5}  {}",
                step.id,
                seconds(step.estimate.p50),
                seconds(step.timeout),
                step.title,
            );
        }
    }
    let _ = writeln!(out, "\n  (~ can be taken back, ! cannot, blank changes nothing)");
    out
}

/// The plan as a Graphviz digraph.
#[must_use]
pub fn to_dot(plan: &Plan) -> String {
    let mut out =
        String::from("digraph plan {\n  rankdir=LR;\n  node [shape=box, style=rounded, fontname=\"sans-serif\"];\n");
    for step in plan.steps() {
        let colour = match step.reversibility {
            Reversibility::ReadOnly => "gray50",
            Reversibility::Reversible => "black",
            Reversibility::Irreversible => "red3",
        };
        let label = format!("{}\\n{}", escape(step.id.as_str()), escape(&step.title));
        let _ = writeln!(out, "  \"{}\" [label=\"{label}\", color={colour}];", escape(step.id.as_str()));
        for before in &step.after {
            let _ = writeln!(out, "  \"{}\" -> \"{}\";", escape(before.as_str()), escape(step.id.as_str()));
        }
    }
    out.push_str("}\n");
    out
}

fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', " ")
}

fn seconds(d: std::time::Duration) -> String {
    let s = d.as_secs();
    if s >= 600 && s.is_multiple_of(60) { format!("{} min", s / 60) } else { format!("{s} s") }
}
