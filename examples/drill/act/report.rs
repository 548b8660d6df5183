use std::fs;

use dr_core::report::DrillReport;

use crate::{
    drill::Drill,
    exit::{Exit, Stop},
    measure::measure,
    outcome::Outcome,
    table::table,
};

/// Measures everything, writes the report, prints the table that matters.
pub(crate) async fn report(drill: &mut Drill) -> Result<Exit, Stop> {
    drill.narrator.act("Report");
    drill.hear();
    let report = measure(drill).await?;
    let failed = |e: std::io::Error| Stop::stopped(format!("the report cannot be written: {e}"));
    fs::write(drill.folder.join("report.md"), report.markdown()).map_err(failed)?;
    fs::write(drill.folder.join("report.html"), report.html()).map_err(failed)?;
    let outcome = Outcome::of(drill, &report);
    let text = serde_json::to_string(&outcome).map_err(|e| Stop::stopped(e.to_string()))?;
    fs::write(drill.folder.join("drill-outcome.json"), &text).map_err(failed)?;
    drill.narrator.finish();
    drill.narrator.show(&table(&report));
    let html = drill.folder.join("report.html");
    drill.narrator.show(&format!("Report: {}\n", html.display()));
    drill.narrator.json(&text);
    Ok(verdict(&report))
}

fn verdict(report: &DrillReport) -> Exit {
    match (report.restored(), report.objectives_met()) {
        (false, _) => Exit::Stopped,
        (true, true) => Exit::Met,
        (true, false) => Exit::Missed,
    }
}
