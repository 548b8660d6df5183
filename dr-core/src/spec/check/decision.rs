//! A policy that can decide.

use super::{
    super::{conform::list, cursor::At, finding::Findings, nearest::nearest},
    references::names,
};
use crate::decision::{MOST_CONDITIONS, clock_time, utc_offset};

/// What each kind of condition needs and takes, beside `id`, `kind` and `for`.
const KEYS: [(&str, &[&str], &[&str]); 4] = [
    ("region-lost", &[], &["gray"]),
    ("standby-healthy", &[], &[]),
    ("replication-lag", &["resource"], &["resource", "at_most", "fresh"]),
    ("signal", &["signal"], &["signal", "fresh"]),
];

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(decision) = root.get("decision") else { return };
    conditions(root, &decision, findings);
    for window in decision.list("windows") {
        one_window(&window, findings);
    }
    if let Some(prewarm) = decision.get("prewarm")
        && decision.text_at("mode").is_none_or(|mode| mode == "manual")
    {
        let message = "nothing is started on suspicion while somebody starts everything by hand";
        findings.push(prewarm.label(), prewarm.path(), message, "`mode: ask` or `mode: automatic`, or no `prewarm`");
    }
    if let Some(keep) = decision.get("prewarm").and_then(|prewarm| prewarm.get("keep"))
        && keep.duration().is_some_and(|keep| keep.is_zero())
    {
        findings.push(keep.place(), keep.path(), "what is warmed would be taken back at once", "15m or so");
    }
    let approval = root.get("approvals").and_then(|approvals| approvals.get("point_of_no_return"));
    let asked = approval.as_ref().and_then(At::text).unwrap_or("required") == "required";
    if let Some(mode) = decision.get("mode").filter(|mode| mode.text() == Some("automatic"))
        && asked
    {
        let message = "a run that starts by itself would wait for somebody before its first step without a way back";
        let remedy = "`approvals.point_of_no_return: automatic`, or `mode: ask`, which asks before it starts";
        findings.push(mode.place(), mode.path(), message, remedy);
    }
}

fn conditions(root: &At<'_>, decision: &At<'_>, findings: &mut Findings<'_>) {
    let conditions = decision.list("conditions");
    if let Some(eleventh) = conditions.get(MOST_CONDITIONS) {
        let message = format!("{} conditions are more than anybody can predict", conditions.len());
        findings.push(eleventh.label(), eleventh.path(), message, format!("{MOST_CONDITIONS} or fewer"));
    }
    let resources = names(root, "resources");
    let mut seen: Vec<&str> = Vec::new();
    for condition in &conditions {
        if let Some(id) = condition.get("id")
            && let Some(name) = id.text()
        {
            if seen.contains(&name) {
                let message = format!("there are two conditions `{}`", id.shown());
                findings.push(id.place(), id.path(), message, "a name of its own for each");
            }
            seen.push(name);
        }
        let kind = condition.text_at("kind");
        if let Some((kind, needs, takes)) = KEYS.iter().find(|(name, ..)| Some(*name) == kind) {
            for key in needs.iter().filter(|key| condition.get(key).is_none()) {
                let path = format!("{}.{key}", condition.path());
                let message = format!("`{key}` is missing, which a {kind} condition needs");
                findings.push(condition.label(), &path, message, format!("`{key}: ...`"));
            }
            for key in ["gray", "resource", "at_most", "fresh", "signal"] {
                if let Some(at) = condition.get(key).filter(|_| !takes.contains(&key)) {
                    let message = format!("`{key}` says nothing in a {kind} condition");
                    findings.push(at.label(), at.path(), message, "the condition without it");
                }
            }
        }
        if let Some(resource) = condition.get("resource")
            && let Some(name) = resource.text().filter(|name| !resources.contains(name))
        {
            let message = format!("there is no resource `{}`", resource.shown());
            let remedy = match nearest(name, resources.iter().copied()) {
                Some(near) => format!("`{near}`; declared: {}", list(&resources)),
                None => format!("one of {}", list(&resources)),
            };
            findings.push(resource.place(), resource.path(), message, remedy);
        }
        silent(root, condition, findings);
        if let Some(fresh) = condition.get("fresh")
            && fresh.duration().is_some_and(|fresh| fresh.is_zero())
        {
            findings.push(fresh.place(), fresh.path(), "no word is ever that fresh", "2m or so");
        }
    }
}

/// An opinion that says nothing of the region that takes the writes feeds no condition about it.
fn silent(root: &At<'_>, condition: &At<'_>, findings: &mut Findings<'_>) {
    let regions = root.list("regions");
    let active = regions.iter().find(|region| region.text_at("role") == Some("active"));
    let (Some(signal), Some(active)) = (condition.get("signal"), active.and_then(|region| region.text_at("id"))) else {
        return;
    };
    let opinions = root.list("opinions");
    let opinion =
        opinions.iter().find(|opinion| opinion.text_at("id").is_some() && opinion.text_at("id") == signal.text());
    if opinion.is_some_and(|opinion| opinion.get("targets").is_some_and(|targets| targets.get(active).is_none())) {
        let message = format!("the opinion `{}` says nothing of {active}, so this never holds", signal.shown());
        findings.push(signal.place(), signal.path(), message, format!("a target for {active} in that opinion"));
    }
}

fn one_window(window: &At<'_>, findings: &mut Findings<'_>) {
    match (window.get("weekly"), window.get("on")) {
        (Some(_), Some(on)) => {
            findings.push(on.label(), on.path(), "a window opens weekly or once", "`weekly` or `on`, not both");
        }
        (None, None) => {
            let message = "nobody knows on which day this window opens";
            findings.push(window.label(), window.path(), message, "`weekly: sunday`, or `on: 2026-12-24`");
        }
        _ => {}
    }
    if let Some(at) = window.get("on")
        && at.text().is_some_and(|text| text.parse::<jiff::civil::Date>().is_err())
    {
        let message = format!("`{}` is not a day of any year", at.shown());
        findings.push(at.place(), at.path(), message, "a day such as 2026-12-24");
    }
    if let Some(lasts) = window.get("lasts")
        && let Some(open) = lasts.duration()
    {
        if open.is_zero() {
            findings.push(lasts.place(), lasts.path(), "this window never opens", "a duration such as 2h");
        } else if window.get("weekly").is_some() && open.as_secs() >= 7 * 86_400 {
            findings.push(lasts.place(), lasts.path(), "this window never closes", "less than 7d");
        }
    }
    let known = |key: &str, read: fn(&str) -> bool, instead: &str, findings: &mut Findings<'_>| {
        if let Some(at) = window.get(key)
            && at.text().is_some_and(|text| !read(text))
        {
            findings.push(at.place(), at.path(), format!("`{}` is no time", at.shown()), instead.to_owned());
        }
    };
    known("at", |text| clock_time(text).is_some(), "a time such as 02:00", findings);
    known("utc_offset", |text| utc_offset(text).is_some(), "a distance from UTC such as +01:00", findings);
}
