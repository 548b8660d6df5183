use std::fmt::Write as _;

use dr_core::report::{DrillReport, Offset, spoken};

/// The table that matters: what was measured, beside what was asked for and what the runbook promised.
pub(crate) fn table(report: &DrillReport) -> String {
    let measured = &report.measured;
    let objectives = &report.objectives;
    let said = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), spoken);
    let at = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), |s| Offset::from_secs(s).to_string());
    let met = |met: bool| if met { "met" } else { "MISSED" };
    let mut out = String::from("\n");
    let mut row = |what: &str, measured: &str, objective: &str, promise: &str, verdict: &str| {
        let _ = writeln!(out, "  {what:<34} {measured:>14}   {objective:<12} {promise:<26} {verdict}");
    };
    row("", "measured", "objective", "the runbook promises", "");
    row(
        "RTO: longest gap a client felt",
        &said(measured.rto_s),
        &spoken(objectives.rto.as_secs_f64()),
        "T+120 s full shift",
        met(report.rto_met()),
    );
    row(
        "RPO: oldest acknowledged write lost",
        &said(measured.rpo_s),
        &spoken(objectives.rpo.as_secs_f64()),
        "lag under 100 ms",
        met(report.rpo_met()),
    );
    let lost = format!("{} of {}", measured.writes_lost, measured.writes_acked);
    row("acknowledged writes lost", &lost, "", "", "");
    row("region declared lost", &at(measured.detect_s), "", "T+30 s unhealthy", "");
    row("standby takes writes", &at(measured.promote_s), "", "(no step)", "");
    row("DNS answers the standby", &at(measured.dns_s), "", "T+30 s; T+90 s most clients", "");
    if let Some(time) = report.runs.iter().find_map(|run| run.recovery) {
        let objective = spoken(time.objective.as_secs_f64());
        row("the run, and health green for good", &spoken(time.total().as_secs_f64()), &objective, "", met(time.met()));
    }
    row("stack as it was", if report.restored() { "yes" } else { "NO" }, "", "", "");
    for differing in report.compared.iter().filter(|compared| !compared.same()) {
        let _ = writeln!(out, "    {}: {} became {}", differing.what, differing.before, differing.after);
    }
    out
}
