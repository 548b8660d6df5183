use std::fmt::Write as _;

use super::{
    super::{Moment, MomentKind},
    chart::Part,
    escape::Text,
    packing::{rows, width_of},
    scale::{RIGHT, Scale},
};

const ROW: f64 = 15.0;

/// The flags of the moments, in as many rows as keep them apart; their poles go down from the part's foot.
pub(super) fn draw(moments: &[&Moment], scale: &Scale) -> Part {
    let flags: Vec<(f64, &'static str, MomentKind)> =
        moments.iter().filter_map(|moment| Some((scale.x(moment.at), moment.kind.flag()?, moment.kind))).collect();
    let extents: Vec<(f64, f64)> = flags.iter().map(|(x, text, _)| extent(*x, text)).collect();
    let rows = rows(&extents);
    let count = rows.iter().max().map_or(0, |last| last + 1);
    let height = size(count) * ROW + 4.0;
    let mut svg = String::new();
    for ((x, text, kind), row) in flags.into_iter().zip(rows) {
        // The first row is the lowest, so that a flag that had to give way stands higher.
        let y = height - size(row + 1) * ROW;
        let class = class(kind);
        let (anchor, at) = if mirrored(x, text) { ("end", x - 4.0) } else { ("start", x + 4.0) };
        let _ = writeln!(
            svg,
            "<line class=\"moment {class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{y:.1}\" y2=\"{height:.1}\"/>\
             <text class=\"flag {class}\" text-anchor=\"{anchor}\" x=\"{at:.1}\" y=\"{:.1}\">{}</text>",
            y + 11.0,
            Text(text)
        );
    }
    Part { svg, height }
}

/// How a moment is coloured.
pub(super) const fn class(kind: MomentKind) -> &'static str {
    match kind {
        MomentKind::Fault => "bad",
        MomentKind::Suspect | MomentKind::Unhealthy | MomentKind::ApprovalAsked => "warn",
        MomentKind::Served | MomentKind::Confirmed | MomentKind::RegionBack => "good",
        _ => "plain",
    }
}

fn extent(x: f64, text: &str) -> (f64, f64) {
    let width = width_of(text) + 12.0;
    if mirrored(x, text) { (x - width, x + 1.0) } else { (x - 1.0, x + width) }
}

fn mirrored(x: f64, text: &str) -> bool {
    x + width_of(text) + 6.0 > RIGHT
}

#[expect(clippy::cast_precision_loss, reason = "a number of rows")]
fn size(rows: usize) -> f64 {
    rows as f64
}
