//! Names that must exist.

use std::collections::BTreeMap;

use schemars::Schema;

use super::super::{conform::list, cursor::At, finding::Findings, nearest::nearest};
use crate::model::ResourceKind;

pub(super) fn check(root: &At<'_>, drivers: &BTreeMap<ResourceKind, Schema>, findings: &mut Findings<'_>) {
    let regions = names(root, "regions");
    let mut uses: Vec<At<'_>> = root.list("observers").iter().filter_map(|observer| observer.get("region")).collect();
    uses.extend(["runner", "journal"].iter().filter_map(|key| root.get(key)?.get("region")));
    for at in uses {
        exists(&at, "region", &regions, findings);
    }
    for targets in root.list("probes").iter().filter_map(|probe| probe.get("targets")) {
        for (region, at) in targets.entries() {
            if !regions.contains(&region) {
                findings.push(
                    at.label(),
                    at.path(),
                    format!("there is no region `{region}`"),
                    remedy(region, &regions),
                );
            }
        }
    }

    let resources = names(root, "resources");
    let kinds: Vec<&str> = drivers.keys().map(ResourceKind::as_str).collect();
    for resource in root.list("resources") {
        for at in resource.list("depends_on") {
            exists(&at, "resource", &resources, findings);
        }
        let Some(kind) = resource.get("kind") else { continue };
        if let Some(text) = kind.text().filter(|text| !kinds.contains(text)) {
            let message = format!("no driver here handles the kind `{}`", kind.shown());
            let known = if kinds.is_empty() { "none".to_owned() } else { list(&kinds) };
            let remedy = match nearest(text, kinds.iter().copied()) {
                Some(near) => format!("`{near}`; known kinds: {known}"),
                None => format!("one of the known kinds: {known}; or a `#` before the lines of this resource"),
            };
            findings.push(kind.place(), kind.path(), message, remedy);
        }
    }
}

pub(super) fn names<'a>(root: &At<'a>, key: &str) -> Vec<&'a str> {
    root.list(key).iter().filter_map(|item| item.text_at("id")).collect()
}

fn exists(at: &At<'_>, what: &str, known: &[&str], findings: &mut Findings<'_>) {
    let Some(name) = at.text() else { return };
    if !known.contains(&name) {
        let message = format!("there is no {what} `{}`", at.shown());
        findings.push(at.place(), at.path(), message, remedy(name, known));
    }
}

fn remedy(name: &str, known: &[&str]) -> String {
    match nearest(name, known.iter().copied()) {
        Some(near) => format!("`{near}`; declared: {}", list(known)),
        None if known.is_empty() => "a name that this file declares".to_owned(),
        None => format!("one of {}", list(known)),
    }
}
