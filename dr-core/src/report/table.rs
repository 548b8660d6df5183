//! The table that matters: what was measured, beside what was asked for and what the runbook promised.

use super::{DrillReport, Offset, Promise, offset::spoken};

/// A row of the table.
pub(super) struct Row {
    pub(super) what: &'static str,
    pub(super) measured: String,
    pub(super) objective: String,
    pub(super) met: Option<bool>,
    pub(super) promised: String,
}

/// A share of clients that counts as most of them, and as all.
const MOST: f64 = 0.9;
const ALL: f64 = 0.99;
/// For how long on end they have to be served.
const STEADY_S: f64 = 10.0;

pub(super) fn rows(report: &DrillReport) -> Vec<Row> {
    let measured = &report.measured;
    let objectives = &report.objectives;
    let at = |seconds: Option<f64>| seconds.map_or_else(unknown, |s| Offset::from_secs(s).to_string());
    let served = |share| {
        let at = report.clients.served_again(report.outage?, share, STEADY_S)?;
        Some(at.secs())
    };
    let promise = |place: usize| report.promises.get(place).map(promised).unwrap_or_default();
    let plain = |what, measured, promised| Row { what, measured, objective: String::new(), met: None, promised };
    let mut rows = vec![
        Row {
            what: "RTO: longest gap that clients felt",
            measured: measured.rto_s.map_or_else(unknown, spoken),
            objective: format!("at most {}", spoken(objectives.rto.as_secs_f64())),
            met: Some(report.rto_met()),
            promised: report.promises.last().map(|promise| spoken(promise.at.secs())).unwrap_or_default(),
        },
        Row {
            what: "RPO: age of the oldest lost write",
            measured: measured.rpo_s.map_or_else(unknown, spoken),
            objective: format!("at most {}", spoken(objectives.rpo.as_secs_f64())),
            met: Some(report.rpo_met()),
            promised: String::new(),
        },
    ];
    rows.extend(by_evidence(report));
    rows.extend([
        plain(
            "Acknowledged writes lost",
            format!("{} of {}", measured.writes_lost, thousands(measured.writes_acked)),
            String::new(),
        ),
        plain("Region declared lost", at(measured.detect_s), promise(0)),
        plain("Standby's database takes writes", at(measured.promote_s), String::new()),
        plain("DNS answers the standby", at(measured.dns_s), promise(0)),
    ]);
    if report.outage.is_some() {
        rows.push(plain("Most clients served again (90 %)", at(served(MOST)), promise(1)));
        rows.push(plain("All clients served again (99 %)", at(served(ALL)), promise(2)));
    }
    rows
}

/// What the runs' journals say by themselves, without anybody who measured from outside.
fn by_evidence(report: &DrillReport) -> Vec<Row> {
    let row = |what, measured, objective: std::time::Duration, met| Row {
        what,
        measured,
        objective: format!("at most {}", spoken(objective.as_secs_f64())),
        met: Some(met),
        promised: String::new(),
    };
    let recovery = report.runs.iter().find_map(|run| run.recovery).map(|time| {
        let said = spoken(time.total().as_secs_f64());
        row("Recovery time: the run, and health green for good", said, time.objective, time.met())
    });
    let promoted = report.runs.iter().find_map(|run| run.rpo.as_ref()).map(|rpo| {
        let objective = report.objectives.rpo;
        row("RPO by the lag at promotion", rpo.in_short(), objective, rpo.meets(objective))
    });
    recovery.into_iter().chain(promoted).collect()
}

fn unknown() -> String {
    "unknown".to_owned()
}

fn promised(promise: &Promise) -> String {
    promise.at.to_string()
}

/// A number with its thousands apart.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1000), "1,000");
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
