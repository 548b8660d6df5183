use std::fmt::Write as _;

use super::{Comparison, Prediction, text::spoken};
use crate::report::Text;

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 380.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 20.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 48.0;
/// Told apart also by who sees no colours: they differ in lightness and dash.
const INKS: [(&str, &str); 6] = [
    ("#1f6feb", ""),
    ("#bf5700", "7 3"),
    ("#1a7f37", "2 3"),
    ("#8250df", "9 3 2 3"),
    ("#a40e26", "4 4"),
    ("#57606a", "1 4"),
];

/// The share of drills that have recovered, over the time since the fault, as an SVG picture: one curve for the model as it
/// is, one for each change of it, and a line at the objective.
#[must_use]
pub fn to_svg(base: &Prediction, changes: &[Comparison]) -> String {
    let curves: Vec<(&str, &Prediction)> = std::iter::once(("as it is", base))
        .chain(changes.iter().map(|change| (change.change.as_str(), &change.prediction)))
        .collect();
    let ends = curves.iter().filter_map(|(_, of)| of.curve.last().copied());
    let end = ends.fold(base.rto_objective, f64::max).max(1.0) * 1.05;
    let x = |seconds: f64| LEFT + seconds / end * (WIDTH - LEFT - RIGHT);
    let y = |share: f64| HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Share of drills that have recovered, over time\" font-family=\"system-ui, sans-serif\" font-size=\"12\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"16\" fill=\"#24292f\" font-size=\"13\">Share of drills that have recovered, by time since the fault</text>\n"
    );
    for tenth in [0.0, 0.25, 0.5, 0.75, 1.0] {
        let at = y(tenth);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{at:.1}\" y2=\"{at:.1}\" stroke=\"#d0d7de\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#57606a\">{:.0} %</text>",
            WIDTH - RIGHT,
            LEFT - 8.0,
            at + 4.0,
            tenth * 100.0
        );
    }
    for tick in ticks(end) {
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\" fill=\"#57606a\">{}</text>",
            x(tick),
            HEIGHT - BOTTOM + 18.0,
            spoken(tick)
        );
    }
    let objective = x(base.rto_objective);
    let _ = writeln!(
        svg,
        "<line x1=\"{objective:.1}\" x2=\"{objective:.1}\" y1=\"{TOP}\" y2=\"{:.1}\" stroke=\"#24292f\" stroke-dasharray=\"3 3\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\" fill=\"#24292f\">objective {}</text>",
        HEIGHT - BOTTOM,
        objective - 5.0,
        TOP + 12.0,
        spoken(base.rto_objective)
    );
    for (at, (name, of)) in curves.iter().enumerate() {
        let Some((ink, dash)) = INKS.get(at % INKS.len()) else { continue };
        let _ = writeln!(
            svg,
            "<polyline fill=\"none\" stroke=\"{ink}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\" points=\"{}\"/>",
            points(of, end, x, y)
        );
        let row = TOP + 40.0 + 18.0 * f64::from(u32::try_from(at).unwrap_or(0));
        let _ = writeln!(
            svg,
            "<line x1=\"{0:.1}\" x2=\"{1:.1}\" y1=\"{2:.1}\" y2=\"{2:.1}\" stroke=\"{ink}\" stroke-width=\"2\" stroke-dasharray=\"{dash}\"/>\
             <text x=\"{3:.1}\" y=\"{4:.1}\" fill=\"#24292f\">{5}</text>",
            LEFT + 10.0,
            LEFT + 38.0,
            row,
            LEFT + 44.0,
            row + 4.0,
            Text(name)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn points(of: &Prediction, end: f64, x: impl Fn(f64) -> f64, y: impl Fn(f64) -> f64) -> String {
    let recovered = 1.0 - of.stopped.share;
    let mut text = format!("{:.1},{:.1}", x(0.0), y(0.0));
    #[expect(clippy::cast_precision_loss, reason = "at most 512 points")]
    for (at, time) in of.curve.iter().enumerate() {
        let share = (at + 1) as f64 / of.curve.len() as f64 * recovered;
        let _ = write!(text, " {:.1},{:.1}", x(*time), y(share));
    }
    let _ = write!(text, " {:.1},{:.1}", x(end), y(recovered));
    text
}

/// Round moments along the axis, six or so.
fn ticks(end: f64) -> Vec<f64> {
    let steps = [1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];
    let step = steps.into_iter().find(|step| end / step <= 8.0).unwrap_or(7200.0);
    let mut at = 0.0;
    std::iter::from_fn(|| {
        let now = at;
        at += step;
        (now <= end).then_some(now)
    })
    .take(64)
    .collect()
}
