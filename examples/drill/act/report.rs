use std::fs;

use dr_core::report::{DrillReport, Moment, MomentKind, Offset};

use crate::{
    diary::Prewarm,
    drill::Drill,
    exit::{Exit, Stop},
    measure::measure,
    outcome::Outcome,
    savings::{self, Marks, Savings},
    table::table,
};

/// Measures everything, writes the report, prints the table that matters.
pub(crate) async fn report(drill: &mut Drill) -> Result<Exit, Stop> {
    drill.narrator.act("Report");
    drill.hear();
    let mut report = measure(drill).await?;
    let marks = Marks::of(&report);
    marks.write(&drill.folder)?;
    let savings = match drill.diary.prewarm {
        Some(Prewarm::With) => Some(Savings::between(Marks::read(&drill.folder.join(savings::WITHOUT))?, marks)),
        _ => None,
    };
    if let Some(savings) = &savings {
        // Beside everything else that happened, at the moment from which it counts.
        let at = Offset::from_secs(report.measured.detect_s.unwrap_or_default());
        report.moments.push(Moment { at, kind: MomentKind::Note, region: None, what: savings.sentence() });
    }
    let failed = |e: std::io::Error| Stop::stopped(format!("the report cannot be written: {e}"));
    fs::write(drill.folder.join("report.md"), report.markdown()).map_err(failed)?;
    fs::write(drill.folder.join("report.html"), report.html()).map_err(failed)?;
    let outcome = Outcome::of(drill, &report, savings);
    let text = serde_json::to_string(&outcome).map_err(|e| Stop::stopped(e.to_string()))?;
    fs::write(drill.folder.join("drill-outcome.json"), &text).map_err(failed)?;
    drill.narrator.finish();
    drill.narrator.show(&table(&report));
    if let Some(savings) = savings {
        drill.narrator.show(&savings.to_string());
    }
    let html = drill.folder.join("report.html");
    drill.narrator.show(&format!("Report: {}\n", html.display()));
    // Of two drills the second one tells of both.
    if drill.diary.prewarm != Some(Prewarm::Without) {
        drill.narrator.json(&text);
    }
    Ok(verdict(&report))
}

fn verdict(report: &DrillReport) -> Exit {
    match (report.restored(), report.objectives_met()) {
        (false, _) => Exit::Stopped,
        (true, true) => Exit::Met,
        (true, false) => Exit::Missed,
    }
}
