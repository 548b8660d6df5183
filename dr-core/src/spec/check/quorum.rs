//! Observers that together can be believed.

use super::super::{cursor::At, finding::Findings};

/// Fewer cannot outvote one that is cut off.
const FEWEST_OBSERVERS: usize = 3;

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(list) = root.get("observers") else { return };
    let observers = list.items();
    if observers.is_empty() {
        return;
    }
    if observers.len() < FEWEST_OBSERVERS {
        let message = format!("{} cannot tell a lost region from a lost observer", plural(observers.len()));
        findings.push(list.label(), list.path(), message, "three or more, in regions of their own");
    }
    let role_of = |name: &str| {
        let regions = root.list("regions");
        regions.iter().find(|region| region.text_at("id") == Some(name)).and_then(|region| region.text_at("role"))
    };
    let witnesses: Vec<&str> = root
        .list("regions")
        .iter()
        .filter(|region| region.text_at("role") == Some("witness"))
        .filter_map(|region| region.text_at("id"))
        .collect();
    let known = observers.iter().all(|observer| observer.text_at("region").and_then(role_of).is_some());
    let watched = observers.iter().any(|observer| observer.text_at("region").is_some_and(|at| witnesses.contains(&at)));
    if let (Some(witness), true, false) = (witnesses.first(), known, watched) {
        let message = "no observer is in a witness region";
        findings.push(list.label(), list.path(), message, format!("an observer with `region: {witness}`"));
    }

    let Some(quorum) = root.get("detection").and_then(|detection| detection.get("quorum")) else { return };
    let Some(needed) = quorum.number().and_then(|number| usize::try_from(number).ok()) else { return };
    let all = observers.len();
    let majority = all / 2 + 1;
    if needed > all {
        let message = format!("{needed} observers can never agree, because there are {all}");
        findings.push(quorum.place(), quorum.path(), message, format!("{majority} to {all}"));
    } else if needed < majority {
        let message = format!("{needed} of {all} is no majority: two halves could decide two different things");
        findings.push(quorum.place(), quorum.path(), message, format!("{majority} or more"));
    }
}

fn plural(count: usize) -> String {
    if count == 1 { "1 observer".to_owned() } else { format!("{count} observers") }
}
