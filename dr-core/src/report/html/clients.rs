use std::fmt::Write as _;

use super::{
    super::{ClientSeries, Outage, offset::spoken},
    chart::Part,
    escape::Text,
    packing::width_of,
    scale::{LEFT, RIGHT, Scale},
};

const HEIGHT: f64 = 150.0;

/// What clients felt: successes upwards, failures downwards, both in requests a second of the world's time.
pub(super) fn draw(series: &ClientSeries, outage: Option<Outage>, scale: &Scale) -> Part {
    if series.is_empty() || series.width_s <= 0.0 {
        return Part { svg: String::new(), height: 0.0 };
    }
    let series = series.widened(buckets_a_bin(series.width_s * scale.pixels_per_second()));
    let rate = |count: u32| f64::from(count) / series.width_s;
    let most = |counts: &[u32]| counts.iter().map(|count| rate(*count)).fold(0.0, f64::max);
    let (most_ok, most_failed) = (most(&series.succeeded), most(&series.failed));
    let up = HEIGHT * (most_ok / (most_ok + most_failed).max(f64::MIN_POSITIVE)).clamp(0.25, 0.8);
    let pixels = |height: f64, most: f64| if most > 0.0 { height / most } else { f64::INFINITY };
    let each = pixels(up, most_ok).min(pixels(HEIGHT - up, most_failed));
    let each = if each.is_finite() { each } else { 0.0 };

    let mut svg = format!(
        "<rect class=\"lane\" x=\"0\" y=\"0\" width=\"{RIGHT}\" height=\"{HEIGHT}\"/>\
         <text class=\"name\" x=\"{name:.1}\" y=\"{:.1}\">clients</text>\
         <text class=\"scale\" x=\"{name:.1}\" y=\"{:.1}\">served</text>\
         <text class=\"scale\" x=\"{name:.1}\" y=\"{:.1}\">{most_ok:.0}/s at most</text>\
         <text class=\"scale\" x=\"{name:.1}\" y=\"{:.1}\">failed</text>\
         <text class=\"scale\" x=\"{name:.1}\" y=\"{:.1}\">{most_failed:.0}/s at most</text>\n",
        16.0,
        34.0,
        47.0,
        up + 14.0,
        up + 27.0,
        name = LEFT - 12.0,
    );
    for (class, sign) in [("served", -1.0), ("failures", 1.0)] {
        let mut path = format!("M{:.1} {up:.1}", scale.x(series.from));
        for (at, succeeded, failed) in series.buckets() {
            let count = if sign < 0.0 { succeeded } else { failed };
            let end = super::super::Offset::from_secs(at.secs() + series.width_s);
            let _ = write!(path, "V{:.1}H{:.1}", up + sign * rate(count) * each, scale.x(end));
        }
        let _ = writeln!(svg, "<path class=\"{class}\" d=\"{path}V{up:.1}Z\"/>");
    }
    let _ = writeln!(svg, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{up:.1}\" y2=\"{up:.1}\"/>");
    if let Some(outage) = outage {
        let text = format!("no service for {}", spoken(outage.to.since(outage.from)));
        let (from, to) = (scale.x(outage.from), scale.x(outage.to));
        let (anchor, x) =
            if to - from > width_of(&text) + 8.0 { ("middle", f64::midpoint(from, to)) } else { ("end", from - 6.0) };
        let _ = writeln!(
            svg,
            "<text class=\"verdict\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            up / 2.0,
            Text(text)
        );
    }
    Part { svg, height: HEIGHT }
}

/// How many buckets go into one bin, so that a bin is two pixels wide or more.
fn buckets_a_bin(pixels_a_bucket: f64) -> usize {
    let wanted = (2.0 / pixels_a_bucket.max(1e-6)).ceil().clamp(1.0, 1e6);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped above")]
    let wanted = wanted as usize;
    wanted
}
