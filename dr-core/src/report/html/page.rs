use std::fmt;

use super::{
    super::{DrillReport, RunReport, offset::spoken, story, table},
    chart::Chart,
    escape::Text,
};

/// The page.
pub(in super::super) struct Page<'a>(pub(in super::super) &'a DrillReport);

impl fmt::Display for Page<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        writeln!(
            f,
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
             <title>Drill of {}: {}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>",
            Text(&report.application),
            Text(&report.fault.name),
            include_str!("style.css")
        )?;
        heading(f, report)?;
        tiles(f, report)?;
        writeln!(f, "<section>\n<h2>Timeline</h2>\n{}{LEGEND}</section>", Chart(report))?;
        measures(f, report)?;
        happened(f, report)?;
        for run in &report.runs {
            steps(f, run)?;
        }
        findings(f, report)?;
        comparison(f, report)?;
        footer(f, report)?;
        writeln!(f, "</main>\n</body>\n</html>")
    }
}

const LEGEND: &str = "<p class=\"legend\">\
<span class=\"key critical\"></span>step on the critical path \
<span class=\"key done\"></span>other step \
<span class=\"key failed\"></span>failed \
<span class=\"key skipped\"></span>skipped or taken back \
<span class=\"key served\"></span>requests served \
<span class=\"key failures\"></span>requests failed \
<span class=\"key gap\"></span>longest gap that clients felt \
<span class=\"key diamond\">◆</span>what the runbook promised. \
Times are seconds of the world, counted from the fault. \
A grey column is a quiet stretch, drawn shorter than it was.</p>\n";

fn heading(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    let badge = |good: bool, yes: &'static str, no: &'static str| {
        if good { ("good", yes) } else { ("bad", no) }
    };
    let (class, word) = badge(report.objectives_met(), "objectives met", "objectives missed");
    let (restored, as_before) = badge(report.restored(), "restored", "not restored");
    writeln!(
        f,
        "<header>\n<h1>{} loses {}</h1>\n<p class=\"badges\"><span class=\"badge {class}\">{word}</span>\
         <span class=\"badge {restored}\">{as_before}</span><span class=\"badge plain\">fault: {}</span></p>\n\
         <p class=\"summary\">{}</p>\n</header>",
        Text(&report.application),
        Text(&report.fault.region),
        Text(&report.fault.name),
        Text(story::summary(report))
    )
}

fn tiles(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    let measured = &report.measured;
    let objectives = &report.objectives;
    let known = |seconds: Option<f64>| seconds.map_or_else(|| "unknown".to_owned(), spoken);
    let verdict = |met| if met { "good" } else { "bad" };
    let aim = |limit: f64| format!("objective: at most {}", spoken(limit));
    let tiles = [
        (verdict(report.rto_met()), "RTO", known(measured.rto_s), aim(objectives.rto.as_secs_f64())),
        (verdict(report.rpo_met()), "RPO", known(measured.rpo_s), aim(objectives.rpo.as_secs_f64())),
        (
            "plain",
            "writes lost",
            table::thousands(measured.writes_lost),
            format!("of {} acknowledged", table::thousands(measured.writes_acked)),
        ),
        ("plain", "detected after", known(measured.detect_s), "from the fault to the verdict".to_owned()),
    ];
    writeln!(f, "<section class=\"tiles\">")?;
    for (class, name, value, note) in tiles {
        writeln!(
            f,
            "<div class=\"tile {class}\"><span class=\"what\">{name}</span><span class=\"value\">{}</span>\
             <span class=\"aim\">{}</span></div>",
            Text(value),
            Text(note)
        )?;
    }
    writeln!(f, "</section>")
}

fn measures(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    writeln!(
        f,
        "<section>\n<h2>Measured, asked for, promised</h2>\n<table>\n<thead><tr><th></th><th class=\"n\">measured</th>\
         <th class=\"n\">objective</th><th class=\"n\">runbook</th></tr></thead>\n<tbody>"
    )?;
    for row in table::rows(report) {
        let mark = match row.met {
            Some(true) => " <span class=\"good\">✓</span>",
            Some(false) => " <span class=\"bad\">✗</span>",
            None => "",
        };
        writeln!(
            f,
            "<tr><td>{}</td><td class=\"n strong\">{}</td><td class=\"n\">{}{mark}</td><td class=\"n\">{}</td></tr>",
            Text(row.what),
            Text(&row.measured),
            Text(&row.objective),
            Text(&row.promised)
        )?;
    }
    writeln!(f, "</tbody>\n</table>\n</section>")
}

fn happened(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    writeln!(f, "<section>\n<h2>What happened</h2>\n<table class=\"story\">\n<tbody>")?;
    for line in story::lines(report) {
        writeln!(f, "<tr><td class=\"n when\">{}</td><td>{}</td></tr>", Text(line.at), Text(&line.what))?;
    }
    writeln!(f, "</tbody>\n</table>\n</section>")
}

fn steps(f: &mut fmt::Formatter<'_>, run: &RunReport) -> fmt::Result {
    writeln!(
        f,
        "<section>\n<h2>Steps of the {}</h2>\n<p>{}. Run <code>{}</code>, plan <code>{}</code>.</p>\n<table>\n<thead><tr>\
         <th>phase</th><th>step</th><th>region</th><th class=\"n\">began</th><th class=\"n\">took</th><th>outcome</th>\
         </tr></thead>\n<tbody>",
        run.goal.kind,
        Text(&run.goal),
        Text(&run.run),
        run.plan.short()
    )?;
    let critical = run.critical();
    for step in run.steps_as_begun() {
        let class = if critical.contains(&step.id) { " class=\"critical\"" } else { "" };
        let attempts = if step.attempts > 1 { format!(", {} attempts", step.attempts) } else { String::new() };
        writeln!(
            f,
            "<tr{class}><td>{}</td><td><span class=\"id\">{}</span><br><span class=\"quiet\">{}</span></td><td>{}</td>\
             <td class=\"n\">{}</td><td class=\"n\">{}</td><td>{}{attempts}</td></tr>",
            step.phase,
            Text(&step.id),
            Text(&step.title),
            Text(step.region.as_ref().map(ToString::to_string).unwrap_or_default()),
            Text(step.started.map(|at| at.to_string()).unwrap_or_default()),
            Text(step.length_s().map(spoken).unwrap_or_default()),
            step.outcome.as_str()
        )?;
    }
    writeln!(f, "</tbody>\n</table>")?;
    for sentence in story::evidence(run) {
        writeln!(f, "<p>{}</p>", Text(sentence))?;
    }
    writeln!(f, "</section>")
}

fn findings(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    let found: Vec<_> =
        report.runs.iter().flat_map(|run| run.findings.iter().map(move |finding| (run, finding))).collect();
    if !found.is_empty() {
        writeln!(
            f,
            "<section>\n<h2>What lint said of the plans</h2>\n<table>\n<thead><tr><th>plan</th><th></th><th>rule</th>\
             <th>about</th><th>what, and what to do</th></tr></thead>\n<tbody>"
        )?;
        for (run, finding) in found {
            writeln!(
                f,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}<br><span class=\"quiet\">{}</span></td></tr>",
                run.goal.kind,
                finding.severity,
                Text(&finding.check),
                Text(&finding.subject),
                Text(&finding.message),
                Text(&finding.remedy)
            )?;
        }
        writeln!(f, "</tbody>\n</table>\n</section>")?;
    }
    let waivers = report.waivers();
    if !waivers.is_empty() {
        writeln!(
            f,
            "<section>\n<h2>Waivers</h2>\n<table>\n<thead><tr><th>rule</th><th>step</th><th>who</th><th>why</th>\
             <th>until</th></tr></thead>\n<tbody>"
        )?;
        for waiver in waivers {
            writeln!(
                f,
                "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
                Text(&waiver.rule),
                Text(waiver.step.as_ref().map_or_else(|| "every step".to_owned(), ToString::to_string)),
                Text(&waiver.who),
                Text(&waiver.why),
                waiver.until
            )?;
        }
        writeln!(f, "</tbody>\n</table>\n</section>")?;
    }
    Ok(())
}

fn comparison(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    if report.compared.is_empty() {
        return Ok(());
    }
    let same = report.compared.iter().filter(|compared| compared.same()).count();
    writeln!(
        f,
        "<section>\n<h2>The stack, before and after</h2>\n<details{}><summary>{same} of {} facts are as they were</summary>\n\
         <table>\n<thead><tr><th>what</th><th>before</th><th>after</th><th></th></tr></thead>\n<tbody>",
        if report.restored() { "" } else { " open" },
        report.compared.len()
    )?;
    for compared in &report.compared {
        let (class, mark) = if compared.same() { ("good", "✓") } else { ("bad", "✗") };
        writeln!(
            f,
            "<tr><td>{}</td><td>{}</td><td>{}</td><td class=\"{class}\">{mark}</td></tr>",
            Text(&compared.what),
            Text(&compared.before),
            Text(&compared.after)
        )?;
    }
    writeln!(f, "</tbody>\n</table>\n</details>\n</section>")
}

fn footer(f: &mut fmt::Formatter<'_>, report: &DrillReport) -> fmt::Result {
    writeln!(
        f,
        "<footer>T+0 was {}. Seed {}, time scale {}: the world ran {} times as fast as the machine's clock, and every time here \
         is the world's.</footer>",
        report.fault_at, report.seed, report.time_scale, report.time_scale
    )
}
