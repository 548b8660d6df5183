use std::fmt;

use super::{
    super::{DrillReport, Offset, offset::spoken},
    clients,
    escape::Text,
    flags, lanes,
    scale::{LEFT, RIGHT, Scale, WIDTH},
};

/// A part of the picture, drawn from y = 0 downwards.
pub(super) struct Part {
    pub(super) svg: String,
    pub(super) height: f64,
}

/// The picture: flags, axis, the runbook's promises, runs, phases as lanes, and what clients felt.
pub(super) struct Chart<'a>(pub(super) &'a DrillReport);

const AXIS: f64 = 26.0;
const GAP: f64 = 10.0;

impl fmt::Display for Chart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let report = self.0;
        let (from, to) = report.extent();
        let scale = Scale::new(from, to, &report.busy());
        let moments = report.all_moments();
        let flags = flags::draw(&moments, &scale);
        let axis_top = flags.height + AXIS;
        let parts = [
            lanes::promises(&report.promises, &scale),
            lanes::runs(&report.runs, &scale),
            lanes::phases(&report.runs, &scale),
        ];
        let clients = clients::draw(&report.clients, report.outage, &scale);
        let bottom = axis_top + parts.iter().map(|part| part.height).sum::<f64>() + GAP + clients.height;
        let height = bottom + AXIS;

        writeln!(
            f,
            "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"Timeline of the drill\" class=\"chart\">"
        )?;
        if let Some(outage) = report.outage {
            let (x, end) = (scale.x(outage.from), scale.x(outage.to));
            let (width, length) = (end - x, spoken(outage.to.since(outage.from)));
            writeln!(
                f,
                "<rect class=\"outage\" x=\"{x:.1}\" y=\"{axis_top:.1}\" width=\"{width:.1}\" height=\"{:.1}\">\
                 <title>no request was served for {}</title></rect>",
                bottom - axis_top,
                Text(length)
            )?;
        }
        for tick in scale.ticks() {
            let x = scale.x(tick);
            writeln!(f, "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{axis_top:.1}\" y2=\"{bottom:.1}\"/>")?;
            for y in [axis_top - 8.0, bottom + 17.0] {
                writeln!(f, "<text class=\"tick\" x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", Text(Label(tick)))?;
            }
        }
        for (from, to) in scale.breaks() {
            let (x, end) = (scale.x(from), scale.x(to));
            writeln!(
                f,
                "<rect class=\"break\" x=\"{x:.1}\" y=\"{axis_top:.1}\" width=\"{:.1}\" height=\"{:.1}\"/>",
                end - x,
                bottom - axis_top
            )?;
            for y in [axis_top - 8.0, bottom + 17.0] {
                let (middle, length) = (f64::midpoint(x, end), spoken(to.since(from)));
                writeln!(f, "<text class=\"tick cut\" x=\"{middle:.1}\" y=\"{y:.1}\">{}</text>", Text(length))?;
            }
        }
        for (moment, flag) in moments.iter().filter_map(|moment| Some((moment, moment.kind.flag()?))) {
            let x = scale.x(moment.at);
            let class = flags::class(moment.kind);
            writeln!(
                f,
                "<line class=\"moment {class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{:.1}\" y2=\"{bottom:.1}\">\
                 <title>{}: {}, {}</title></line>",
                flags.height,
                Text(moment.at),
                Text(flag),
                Text(&moment.what)
            )?;
        }
        write!(f, "{}", flags.svg)?;
        writeln!(f, "<line class=\"axis\" x1=\"{LEFT}\" x2=\"{RIGHT}\" y1=\"{axis_top:.1}\" y2=\"{axis_top:.1}\"/>")?;
        let mut y = axis_top;
        for part in &parts {
            writeln!(f, "<g transform=\"translate(0 {y:.1})\">\n{}</g>", part.svg)?;
            y += part.height;
        }
        writeln!(f, "<g transform=\"translate(0 {:.1})\">\n{}</g>", y + GAP, clients.svg)?;
        writeln!(f, "</svg>")
    }
}

/// A tick's label: `T+120`, in whole seconds.
struct Label(Offset);

impl fmt::Display for Label {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0.secs() < 0.0 { '−' } else { '+' };
        write!(f, "T{sign}{:.0}", self.0.secs().abs())
    }
}
