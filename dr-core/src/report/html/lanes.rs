use std::{collections::BTreeMap, fmt::Write as _};

use super::{
    super::{Promise, RunReport, StepOutcome, StepReport, offset::spoken},
    chart::Part,
    escape::Text,
    packing::{rows, width_of},
    scale::{LEFT, RIGHT, Scale},
};
use crate::{model::StepId, plan::Phase};

const ROW: f64 = 17.0;
const BAR: f64 = 12.0;
const PAD: f64 = 4.0;

/// The lane of what the runbook promised.
pub(super) fn promises(promises: &[Promise], scale: &Scale) -> Part {
    if promises.is_empty() {
        return Part { svg: String::new(), height: 0.0 };
    }
    let labels: Vec<String> =
        promises.iter().map(|promise| format!("T+{:.0} {}", promise.at.secs(), promise.what)).collect();
    let extents: Vec<(f64, f64)> = promises
        .iter()
        .zip(&labels)
        .map(|(promise, label)| (scale.x(promise.at) - 5.0, scale.x(promise.at) + width_of(label) + 16.0))
        .collect();
    let rows = rows(&extents);
    let height = lane_height(&rows);
    let mut svg = lane("runbook", height, false);
    for ((promise, label), row) in promises.iter().zip(&labels).zip(rows) {
        let (x, y) = (scale.x(promise.at), row_middle(row));
        let _ = writeln!(
            svg,
            "<path class=\"promise\" d=\"M{x:.1} {:.1}l5 5l-5 5l-5 -5z\"/>\
             <text class=\"note\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
            y - 5.0,
            x + 9.0,
            y + 4.0,
            Text(label)
        );
    }
    Part { svg, height }
}

/// The lane of the runs, each from its start to its end.
pub(super) fn runs(runs: &[RunReport], scale: &Scale) -> Part {
    if runs.is_empty() {
        return Part { svg: String::new(), height: 0.0 };
    }
    // A label stands in the middle of its bracket, where the line gives way to it, or beside one that is too short.
    let labels: Vec<String> = runs.iter().map(|run| format!("{} {}", run.goal.kind, spoken(run.length_s()))).collect();
    let ends = |run: &RunReport| (scale.x(run.started), scale.x(run.ended));
    let extents: Vec<(f64, f64)> = runs
        .iter()
        .zip(&labels)
        .map(|(run, label)| {
            let ((from, to), room) = (ends(run), width_of(label) + 8.0);
            match bracket_label(from, to, label).0 {
                "middle" => (from, to),
                "end" => (from - room, to),
                _ => (from, to + room),
            }
        })
        .collect();
    let rows = rows(&extents);
    let height = lane_height(&rows);
    let mut svg = lane("runs", height, true);
    for ((run, label), row) in runs.iter().zip(&labels).zip(rows) {
        let ((x, end), y) = (ends(run), row_middle(row));
        let (anchor, at) = bracket_label(x, end, label);
        let half = if anchor == "middle" { width_of(label) / 2.0 + 6.0 } else { 0.0 };
        let middle = f64::midpoint(x, end);
        let _ = writeln!(
            svg,
            "<path class=\"run\" d=\"M{x:.1} {top:.1}v10M{x:.1} {y:.1}H{:.1}M{:.1} {y:.1}H{end:.1}M{end:.1} {top:.1}v10\">\
             <title>{}: {}</title></path>\
             <text class=\"note strong\" text-anchor=\"{anchor}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            middle - half,
            middle + half,
            Text(&run.goal),
            Text(label),
            y + 4.0,
            Text(label),
            top = y - 5.0,
        );
    }
    Part { svg, height }
}

fn bracket_label(from: f64, to: f64, label: &str) -> (&'static str, f64) {
    if to - from > width_of(label) + 24.0 { ("middle", f64::midpoint(from, to)) } else { beside(from, to, label) }
}

/// The phases as lanes, with the steps of all runs as bars.
pub(super) fn phases(runs: &[RunReport], scale: &Scale) -> Part {
    let mut svg = String::new();
    let mut bars = String::new();
    let mut places: BTreeMap<(usize, &StepId), (f64, f64, f64)> = BTreeMap::new();
    let mut top = 0.0;
    let mut shaded = false;
    for phase in Phase::ALL {
        let steps: Vec<(usize, &StepReport)> = runs
            .iter()
            .enumerate()
            .flat_map(|(run, report)| report.steps.iter().map(move |step| (run, step)))
            .filter(|(_, step)| step.phase == phase && step.started.is_some())
            .collect();
        if steps.is_empty() {
            continue;
        }
        let drawn: Vec<Bar<'_>> = steps
            .iter()
            .map(|(run, step)| Bar::new(step, runs.get(*run).map_or(step.started, |run| Some(run.ended)), scale))
            .collect();
        let extents: Vec<(f64, f64)> = drawn.iter().map(Bar::extent).collect();
        let rows = rows(&extents);
        let height = lane_height(&rows);
        let _ = writeln!(svg, "<g transform=\"translate(0 {top:.1})\">{}</g>", lane(phase.as_str(), height, shaded));
        shaded = !shaded;
        for (((run, step), bar), row) in steps.iter().zip(&drawn).zip(rows) {
            let y = top + row_middle(row);
            let critical = runs.get(*run).is_some_and(|run| run.critical().contains(&step.id));
            places.insert((*run, &step.id), (bar.from, bar.to, y));
            bars += &bar.svg(y, critical);
        }
        top += height;
    }
    for (run, report) in runs.iter().enumerate() {
        for (before, after) in report.critical_path().iter().zip(report.critical_path().iter().skip(1)) {
            let (Some(before), Some(after)) = (places.get(&(run, *before)), places.get(&(run, *after))) else {
                continue;
            };
            let x = after.0;
            let _ = writeln!(
                svg,
                "<path class=\"link\" d=\"M{:.1} {:.1}H{x:.1}V{:.1}\"/>",
                before.1.min(x),
                before.2,
                after.2
            );
        }
    }
    svg += &bars;
    Part { svg, height: top }
}

/// A step as it is drawn.
struct Bar<'a> {
    step: &'a StepReport,
    label: String,
    from: f64,
    to: f64,
}

impl<'a> Bar<'a> {
    /// A step that did not end is drawn up to `last`, when its run was last heard of.
    fn new(step: &'a StepReport, last: Option<super::super::Offset>, scale: &Scale) -> Self {
        let from = step.started.map_or(LEFT, |at| scale.x(at));
        let to = step.ended.or(last).map_or(from, |at| scale.x(at)).max(from + 3.0);
        let mut label = format!("{} {}", step.id, step.length_s().map_or_else(String::new, spoken));
        if step.attempts > 1 {
            label += &format!(" ×{}", step.attempts);
        }
        Self { step, label, from, to }
    }

    fn label_fits_inside(&self) -> bool {
        self.to - self.from > width_of(&self.label) + 10.0
    }

    fn extent(&self) -> (f64, f64) {
        if self.label_fits_inside() {
            return (self.from - 2.0, self.to + 2.0);
        }
        let room = width_of(&self.label) + 8.0;
        match beside(self.from, self.to, &self.label).0 {
            "end" => (self.from - room, self.to + 2.0),
            _ => (self.from - 2.0, self.to + room),
        }
    }

    fn svg(&self, y: f64, critical: bool) -> String {
        let Self { step, label, from, to } = self;
        let class = match step.outcome {
            StepOutcome::Failed => "failed",
            StepOutcome::Skipped | StepOutcome::Compensated => "skipped",
            StepOutcome::Running | StepOutcome::Pending => "running",
            StepOutcome::Done | StepOutcome::Already => "done",
        };
        let emphasis = if critical { " critical" } else { "" };
        let (anchor, at, place) = if self.label_fits_inside() {
            ("start", from + 5.0, " inside")
        } else {
            let (anchor, at) = beside(*from, *to, label);
            (anchor, at, "")
        };
        let mut svg = String::new();
        let _ = writeln!(
            svg,
            "<g><title>{}: {}\n{} to {}, {}, {} attempt(s){}</title>\
             <rect class=\"bar {class}{emphasis}\" x=\"{from:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\
             <text class=\"step{place}{emphasis}\" text-anchor=\"{anchor}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text></g>",
            Text(&step.id),
            Text(&step.title),
            Text(step.started.map(|at| at.to_string()).unwrap_or_default()),
            Text(step.ended.map_or_else(|| "?".to_owned(), |at| at.to_string())),
            step.outcome.as_str(),
            step.attempts,
            if critical { ", on the critical path" } else { "" },
            y - BAR / 2.0,
            to - from,
            y + 4.0,
            Text(label)
        );
        svg
    }
}

/// Where a label goes that stands beside what reaches from `from` to `to`: after it, or before it at the right edge.
fn beside(from: f64, to: f64, label: &str) -> (&'static str, f64) {
    if to + width_of(label) + 6.0 > RIGHT { ("end", from - 5.0) } else { ("start", to + 5.0) }
}

fn lane(name: &str, height: f64, shaded: bool) -> String {
    let class = if shaded { "lane shaded" } else { "lane" };
    format!(
        "<rect class=\"{class}\" x=\"0\" y=\"0\" width=\"{RIGHT}\" height=\"{height:.1}\"/>\
         <text class=\"name\" x=\"{:.1}\" y=\"{:.1}\">{}</text>\n",
        LEFT - 12.0,
        row_middle(0) + 4.0,
        Text(name)
    )
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn lane_height(rows: &[usize]) -> f64 {
    rows.iter().max().map_or(1.0, |last| (last + 1) as f64) * ROW + 2.0 * PAD
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn row_middle(row: usize) -> f64 {
    PAD + row as f64 * ROW + ROW / 2.0
}
