//! Resources that wait for one another.

use super::super::{cursor::At, finding::Findings};
use crate::topology::{Cycle, dependency_order};

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let resources = root.list("resources");
    let names: Vec<&str> = resources.iter().map(|resource| resource.text_at("id").unwrap_or_default()).collect();
    let mut edges: Vec<Vec<usize>> = resources
        .iter()
        .map(|resource| {
            let before = resource.list("depends_on");
            before.iter().filter_map(|at| names.iter().position(|name| Some(*name) == at.text())).collect()
        })
        .collect();
    // Each cycle is reported and then cut, so that a second one is not hidden by the first.
    while let Err(Cycle(cycle)) = dependency_order(&edges) {
        let (Some(first), Some(second)) = (cycle.first(), cycle.get(1).or(cycle.first())) else { break };
        let name = |i: &usize| names.get(*i).copied().unwrap_or_default();
        let mut shown: Vec<&str> = cycle.iter().map(name).collect();
        shown.push(name(first));
        let edge = resources
            .get(*first)
            .and_then(|resource| resource.list("depends_on").into_iter().find(|at| at.text() == Some(name(second))));
        if let Some(at) = edge {
            findings.push(
                at.place(),
                at.path(),
                format!("resources wait for one another: {}", shown.join(" -> ")),
                format!("`depends_on` without one of these, such as `{}` here", name(second)),
            );
        }
        let Some(list) = edges.get_mut(*first) else { break };
        list.retain(|to| to != second);
    }
}
