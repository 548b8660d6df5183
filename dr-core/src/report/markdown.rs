//! The report for a pull request or a ticket.

use std::fmt;

use super::{DrillReport, RunReport, offset::spoken, story, table};

/// The page.
pub(super) struct Page<'a>(pub(super) &'a DrillReport);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let verdict = if report.objectives_met() { "objectives met" } else { "objectives missed" };
        let restored = if report.restored() { "restored" } else { "not restored" };
        writeln!(f, "# Drill of {}: {verdict}, {restored}\n", report.application)?;
        writeln!(f, "{}\n", story::summary(report))?;
        writeln!(
            f,
            "Fault `{}`, seed {}, time scale {}, T+0 at {}.\n",
            report.fault.name, report.seed, report.time_scale, report.fault_at
        )?;
        table(f, report)?;
        writeln!(f, "\n## What happened\n\n| when | what |\n|---:|---|")?;
        for line in story::lines(report) {
            writeln!(f, "| {} | {} |", line.at, Cell(&line.what))?;
        }
        for run in &report.runs {
            steps(f, run)?;
        }
        findings(f, report)?;
        comparison(f, report)
    }
}

/// Text inside a cell of a table.
struct Cell<'a>(&'a str);

impl fmt::Display for Cell<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.replace('|', "\\|").replace('<', "&lt;").replace(['\n', '\r'], " "))
    }
}

fn table(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    writeln!(f, "| | measured | objective | runbook |\n|---|---:|---:|---:|")?;
    for row in table::rows(report) {
        let mark = match row.met {
            Some(true) => " ✓",
            Some(false) => " ✗",
            None => "",
        };
        writeln!(f, "| {} | **{}** | {}{mark} | {} |", row.what, row.measured, row.objective, row.promised)?;
    }
    Ok(())
}

fn steps(f: &mut fmt::Formatter<'_>, run: &RunReport) -> fmt::Result {
    writeln!(f, "\n## Steps of the {}\n\n{}, run `{}`, plan `{}`.\n", run.goal.kind, run.goal, run.run, run.plan)?;
    writeln!(f, "| phase | step | region | began | took | outcome | attempts |\n|---|---|---|---:|---:|---|---:|")?;
    let critical = run.critical();
    for step in run.steps_as_begun() {
        let mark = if critical.contains(&step.id) { "**" } else { "" };
        writeln!(
            f,
            "| {} | {mark}{}{mark} | {} | {} | {} | {} | {} |",
            step.phase,
            step.id,
            step.region.as_ref().map(ToString::to_string).unwrap_or_default(),
            step.started.map(|at| at.to_string()).unwrap_or_default(),
            step.length_s().map(spoken).unwrap_or_default(),
            step.outcome.as_str(),
            step.attempts
        )?;
    }
    writeln!(f, "\nSteps in bold were on the critical path.")?;
    story::evidence(run).iter().try_for_each(|sentence| writeln!(f, "\n{}", Cell(sentence)))
}

fn findings(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    let found: Vec<_> =
        report.runs.iter().flat_map(|run| run.findings.iter().map(move |finding| (run, finding))).collect();
    if !found.is_empty() {
        writeln!(f, "\n## What lint said\n\n| plan | | rule | about | what | remedy |\n|---|---|---|---|---|---|")?;
        for (run, finding) in found {
            writeln!(
                f,
                "| {} | {} | {} | {} | {} | {} |",
                run.goal.kind,
                finding.severity,
                Cell(&finding.check),
                Cell(&finding.subject),
                Cell(&finding.message),
                Cell(&finding.remedy)
            )?;
        }
    }
    let waivers = report.waivers();
    if !waivers.is_empty() {
        writeln!(f, "\n## Waivers\n\n| rule | step | who | why | until |\n|---|---|---|---|---|")?;
        for waiver in waivers {
            let step = waiver.step.as_ref().map_or_else(|| "every step".to_owned(), ToString::to_string);
            let (rule, who, why) = (Cell(&waiver.rule), Cell(&waiver.who), Cell(&waiver.why));
            writeln!(f, "| {rule} | {step} | {who} | {why} | {} |", waiver.until)?;
        }
    }
    Ok(())
}

fn comparison(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    if report.compared.is_empty() {
        return Ok(());
    }
    let same = report.compared.iter().filter(|compared| compared.same()).count();
    writeln!(f, "\n## The stack, before and after\n\n{same} of {} facts are as they were.\n", report.compared.len())?;
    writeln!(f, "| what | before | after | |\n|---|---|---|---|")?;
    for compared in &report.compared {
        let mark = if compared.same() { "✓" } else { "✗" };
        writeln!(f, "| {} | {} | {} | {mark} |", Cell(&compared.what), Cell(&compared.before), Cell(&compared.after))?;
    }
    Ok(())
}
