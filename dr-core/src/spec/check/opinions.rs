//! Opinions of others: of regions that serve, asked for now and then.

use std::time::Duration;

use super::super::{cursor::At, finding::Findings};

/// Asked more often, one opinion takes a noticeable part of what an account may ask of Route 53.
const LEAST: Duration = Duration::from_secs(5);

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let regions = root.list("regions");
    let serving: Vec<&str> = regions
        .iter()
        .filter(|region| matches!(region.text_at("role"), Some("active" | "warm-standby" | "pilot-light")))
        .filter_map(|region| region.text_at("id"))
        .collect();
    let observers = root.list("observers");
    for opinion in root.list("opinions") {
        let taken = |name: &At<'_>| observers.iter().any(|observer| observer.text_at("id") == name.text());
        if let Some(id) = opinion.get("id").filter(taken) {
            let message = "an observer has this name: what has a vote and what has none could be taken for each other";
            findings.push(id.place(), id.path(), message, "another name, such as `route53`");
        }
        for (name, target) in opinion.get("targets").iter().flat_map(At::entries) {
            if !serving.contains(&name) {
                let message = format!("no region `{name}` serves, so nobody judges it");
                findings.push(target.label(), target.path(), message, format!("one of {}", serving.join(", ")));
            }
        }
        if let Some(region) = opinion.get("region")
            && !regions.iter().any(|known| known.text_at("id") == region.text())
        {
            let message = format!("there is no region `{}`", region.shown());
            findings.push(region.place(), region.path(), message, "a region of `regions:`");
        }
        if let (Some(interval), Some(every)) = (opinion.get("interval"), opinion.duration_at("interval"))
            && every < LEAST
        {
            let message = "an opinion without a vote is not worth being asked for that often";
            findings.push(interval.place(), interval.path(), message, "5s or more");
        }
    }
}
