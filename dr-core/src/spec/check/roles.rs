//! Regions that together can fail over, and services that fit them.

use super::super::{cursor::At, finding::Findings};

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(list) = root.get("regions") else { return };
    let regions = list.items();
    let roles: Vec<Option<&str>> = regions.iter().map(|region| region.text_at("role")).collect();
    let known = |role: &Option<&str>| matches!(role, Some("active" | "warm-standby" | "pilot-light" | "witness"));
    // A role that cannot be read may have been meant to be any of them.
    if roles.is_empty() || !roles.iter().all(known) {
        return;
    }
    let count = |wanted: &str| roles.iter().filter(|role| **role == Some(wanted)).count();

    if count("active") == 0 {
        findings.push(
            list.label(),
            list.path(),
            "no region is active",
            "`role: active` in the region that serves today",
        );
    }
    let mut active =
        regions.iter().filter_map(|region| region.get("role")).filter(|role| role.text() == Some("active"));
    if let Some(first) = active.next() {
        for role in active {
            findings.push_related(
                role.place(),
                role.path(),
                Some(first.place()),
                format!("a second region is active: the first is on line {}", first.place().line),
                "`warm-standby`, `pilot-light` or `witness`",
            );
        }
    }
    let standbys = count("warm-standby") + count("pilot-light");
    if standbys == 0 {
        let remedy = "`role: warm-standby` or `role: pilot-light` in a region that can take over";
        findings.push(list.label(), list.path(), "no region can take over", remedy);
    }
    if count("witness") == 0 {
        findings.push(
            list.label(),
            list.path(),
            "no region is a witness: with two sites alone, a cut between them looks to each like the loss of the other",
            "a third region with `role: witness`",
        );
    }

    let warm = count("warm-standby") > 0;
    for service in root.list("services") {
        let Some(replicas) = service.get("replicas") else { continue };
        let (Some(standby), Some(full)) = (replicas.get("standby"), replicas.get("full")) else { continue };
        let (Some(few), Some(many)) = (standby.number(), full.number()) else { continue };
        if few > many {
            let message = format!("full is {many}, which is fewer than the {few} of standby");
            findings.push(full.place(), full.path(), message, format!("{few} or more"));
        }
        if few == 0 && warm {
            let message = "a warm standby runs every service, and this one would have to start from nothing";
            findings.push(standby.place(), standby.path(), message, "1 or more, or make the region a `pilot-light`");
        }
    }
}
