use std::fmt::Write as _;

use super::{Model, Percentiles, Prediction, Share};

/// What a change of the model would come to.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// The change, as it was asked for.
    pub change: String,
    /// What it comes to.
    pub prediction: Prediction,
}

/// The prediction for a terminal: percentiles, the chance of meeting the objectives, where the time goes, the critical path,
/// and what changes would be worth.
#[must_use]
pub fn to_text(model: &Model, base: &Prediction, changes: &[Comparison]) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} drills of {} (seed {}), {} clients, TTL {} s",
        grouped(base.drills),
        base.application,
        base.seed,
        model.clients.count,
        model.traffic.ttl.as_secs_f64(),
    );
    row(&mut out, "RTO", &base.rto, base.rto_objective, Some(&base.rto_met));
    match (&base.rpo, &base.rpo_met) {
        (Some(rpo), met) => row(&mut out, "RPO", rpo, base.rpo_objective, met.as_ref()),
        (None, _) => {
            let _ = writeln!(out, "  RPO  unknown: nobody saw how far the standby is behind");
        }
    }
    if base.stopped.share > 0.0 {
        let _ = writeln!(out, "  {} did not recover without a person", percent(&base.stopped));
    }
    where_it_goes(&mut out, base);
    histogram(&mut out, base);
    critical(&mut out, base);
    if !changes.is_empty() {
        compare(&mut out, base, changes);
    }
    out
}

fn row(out: &mut String, name: &str, of: &Percentiles, objective: f64, met: Option<&Share>) {
    let t = |value: Option<f64>| value.map_or_else(|| "never".to_owned(), spoken);
    let _ = write!(
        out,
        "  {name}  p50 {:>8}  p90 {:>8}  p95 {:>8}  p99 {:>8}  max {:>8}",
        t(of.p50),
        t(of.p90),
        t(of.p95),
        t(of.p99),
        t(of.max)
    );
    if let Some(met) = met {
        let _ = write!(out, "   {} within {}", percent(met), spoken(objective));
    }
    out.push('\n');
}

fn where_it_goes(out: &mut String, base: &Prediction) {
    let stages = &base.stages;
    let parts = [
        ("detection", stages.detection),
        ("decision", stages.decision),
        ("run", stages.run),
        ("names", stages.publish),
        ("clients", stages.clients),
    ];
    let longest = parts.iter().map(|(_, length)| *length).fold(1.0, f64::max);
    let _ = writeln!(out, "\n  Where the time goes (medians)");
    for (name, length) in parts {
        let _ = writeln!(out, "    {name:<10} {:>9}  {}", spoken(length), bar(length / longest, 40));
    }
}

fn histogram(out: &mut String, base: &Prediction) {
    const ROWS: usize = 12;
    let (Some(from), Some(to)) = (base.curve.first(), base.curve.last()) else { return };
    let width = ((to - from) / 12.0).max(1e-9);
    let mut counts = [0_usize; ROWS];
    for time in &base.curve {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 12 rows")]
        let at = (((time - from) / width) as usize).min(ROWS - 1);
        if let Some(count) = counts.get_mut(at) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().unwrap_or(1).max(1);
    let _ = writeln!(out, "\n  How recovery times are spread (| the objective)");
    for (at, count) in counts.iter().enumerate() {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let (start, share) = (from + width * at as f64, *count as f64 / most as f64);
        let within = base.rto_objective >= start && base.rto_objective < start + width;
        let _ = writeln!(out, "    {:>9} {}{}", spoken(start), if within { "|" } else { " " }, bar(share, 40));
    }
}

fn critical(out: &mut String, base: &Prediction) {
    let _ = writeln!(out, "\n  Critical path (share of drills that a quicker step would have shortened)");
    for step in base.steps.iter().filter(|step| step.critical >= 0.005) {
        let _ = writeln!(out, "    {:<34} {:>5.1} %", step.step, step.critical * 100.0);
    }
    for step in base.steps.iter().filter(|step| step.stopped > 0.0) {
        let _ = writeln!(out, "    {:<34} stopped {:.2} % of the drills", step.step, step.stopped * 100.0);
    }
}

fn compare(out: &mut String, base: &Prediction, changes: &[Comparison]) {
    let _ = writeln!(out, "\n  What if                     RTO p50      p95    within {}", spoken(base.rto_objective));
    let mut line = |name: &str, of: &Prediction| {
        let t = |value: Option<f64>| value.map_or_else(|| "never".to_owned(), spoken);
        let _ = writeln!(out, "    {name:<22} {:>8} {:>8}    {}", t(of.rto.p50), t(of.rto.p95), percent(&of.rto_met));
    };
    line("as it is", base);
    for Comparison { change, prediction } in changes {
        line(change, prediction);
    }
}

fn bar(share: f64, columns: u32) -> String {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few columns")]
    let filled = (share.clamp(0.0, 1.0) * f64::from(columns)).round() as usize;
    "#".repeat(filled)
}

fn percent(share: &Share) -> String {
    let half = (share.high - share.low) / 2.0 * 100.0;
    format!("{:.1} % (±{half:.1})", share.share * 100.0)
}

/// Seconds as people say them, to a tenth below a minute.
pub(super) fn spoken(seconds: f64) -> String {
    if seconds < 59.95 {
        return format!("{seconds:.1} s");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "not negative, and no drill lasts for ages"
    )]
    let whole = seconds.round() as u64;
    let (minutes, rest) = (whole / 60, whole % 60);
    if minutes < 60 { format!("{minutes}m{rest:02}s") } else { format!("{}h{:02}m", minutes / 60, minutes % 60) }
}

fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}
