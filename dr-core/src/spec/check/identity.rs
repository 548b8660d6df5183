//! Names that stand for one thing only.

use std::collections::BTreeMap;

use super::super::{cursor::At, finding::Findings, node::Place};

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    for list in ["regions", "observers", "opinions", "probes"] {
        let named = root.list(list);
        once(&named.iter().filter_map(|item| item.get("id")).collect::<Vec<_>>(), findings);
    }
    // Steps and lines of a report are named after services and resources alike.
    let named: Vec<At<'_>> =
        ["services", "resources"].iter().flat_map(|list| root.list(list)).filter_map(|item| item.get("id")).collect();
    once(&named, findings);
    for resource in root.list("resources") {
        once(&resource.list("depends_on"), findings);
    }
}

fn once(names: &[At<'_>], findings: &mut Findings<'_>) {
    let mut seen: BTreeMap<&str, Place> = BTreeMap::new();
    let mut in_file_order: Vec<&At<'_>> = names.iter().collect();
    in_file_order.sort_by_key(|at| at.place());
    for at in in_file_order {
        let Some(name) = at.text() else { continue };
        match seen.get(name) {
            None => {
                seen.insert(name, at.place());
            }
            Some(first) => findings.push_related(
                at.place(),
                at.path(),
                Some(*first),
                format!("the name `{}` is taken: line {}, column {}", at.shown(), first.line, first.column),
                "another name, or this entry not at all",
            ),
        }
    }
}
