//! The curves, as a picture.

use std::fmt::Write as _;

/// One detector over its settings.
pub(crate) struct Curve {
    pub(crate) name: &'static str,
    pub(crate) colour: &'static str,
    /// Mean detection time in seconds, and mistakes an hour.
    pub(crate) points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 520.0;
const LEFT: f64 = 80.0;
const RIGHT: f64 = 210.0;
const TOP: f64 = 56.0;
const BOTTOM: f64 = 64.0;
/// Seconds at the right edge.
const LONGEST: f64 = 3.0;

/// Draws mistakes an hour, on a logarithmic scale, over detection time. `hours` were played: what made no mistake in them is
/// drawn on the lowest line.
pub(crate) fn svg(curves: &[Curve], hours: f64) -> String {
    let (floor, ceiling): (f64, f64) = (0.5 / hours, 100.0);
    let (low, high) = (floor.log10(), ceiling.log10());
    let x = |seconds: f64| LEFT + (seconds.min(LONGEST) / LONGEST) * (WIDTH - LEFT - RIGHT);
    let y = |mistakes: f64| {
        let share = (mistakes.clamp(floor, ceiling).log10() - low) / (high - low);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         aria-label=\"Mistakes an hour over detection time\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#fff\"/>\n\
         <text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"bold\">How soon, and how often in vain: three observers, a look a second</text>\n\
         <text x=\"{LEFT}\" y=\"42\" fill=\"#555\">lower and further left is better; {hours:.0} hours without a fault, 300 faults; every peer votes 2 of 3 as ours does</text>\n"
    );
    for halves in 0..=6_u8 {
        let seconds = f64::from(halves) / 2.0;
        let at = x(seconds);
        let (top, bottom) = (TOP, HEIGHT - BOTTOM);
        let _ = writeln!(
            out,
            "<line x1=\"{at:.1}\" y1=\"{top}\" x2=\"{at:.1}\" y2=\"{bottom}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{seconds}</text>",
            bottom + 20.0
        );
    }
    for (value, label) in [(0.1, "0.1"), (1.0, "1"), (10.0, "10"), (100.0, "100")] {
        let at = y(value);
        let right = WIDTH - RIGHT;
        let _ = writeln!(
            out,
            "<line x1=\"{LEFT}\" y1=\"{at:.1}\" x2=\"{right}\" y2=\"{at:.1}\" stroke=\"#e4e4e4\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
            LEFT - 8.0,
            at + 4.0
        );
    }
    let _ = writeln!(
        out,
        "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">none</text>\n\
         <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">mean time from fault to verdict, in seconds</text>\n\
         <text transform=\"translate(22 {:.1}) rotate(-90)\" text-anchor=\"middle\">mistakes an hour</text>",
        LEFT - 8.0,
        y(floor) + 4.0,
        (LEFT + WIDTH - RIGHT) / 2.0,
        HEIGHT - 18.0,
        (TOP + HEIGHT - BOTTOM) / 2.0,
    );
    for (n, Curve { name, colour, points }) in (0_u8..).zip(curves) {
        let shown: Vec<&(f64, f64)> = points.iter().filter(|(seconds, _)| *seconds <= LONGEST).collect();
        let path: Vec<String> = shown.iter().map(|(s, m)| format!("{:.1},{:.1}", x(*s), y(*m))).collect();
        let _ = writeln!(
            out,
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2.2\" stroke-linejoin=\"round\"/>",
            path.join(" ")
        );
        for (seconds, mistakes) in shown {
            let _ = writeln!(
                out,
                "<circle cx=\"{:.1}\" cy=\"{:.1}\" r=\"3.4\" fill=\"{colour}\"/>",
                x(*seconds),
                y(*mistakes)
            );
        }
        let (at, left) = (TOP + 14.0 + 24.0 * f64::from(n), WIDTH - RIGHT + 18.0);
        let _ = writeln!(
            out,
            "<line x1=\"{left}\" y1=\"{at}\" x2=\"{:.1}\" y2=\"{at}\" stroke=\"{colour}\" stroke-width=\"3\"/>\
             <text x=\"{:.1}\" y=\"{:.1}\">{name}</text>",
            left + 26.0,
            left + 34.0,
            at + 4.5
        );
    }
    out.push_str("</svg>\n");
    out
}
