//! Times that can be met.

use std::time::Duration;

use jiff::civil::Date;

use super::super::{DampingSpec, cursor::At, duration::format_duration, finding::Findings};

/// A lost region answers nothing, so a longer call only waits longer.
const LONGEST_CALL: Duration = Duration::from_secs(10);

pub(super) fn check(root: &At<'_>, findings: &mut Findings<'_>) {
    for probe in root.list("probes") {
        let (interval, timeout) = (probe.get("interval"), probe.get("timeout"));
        let spent = |at: &Option<At<'_>>| at.as_ref().and_then(At::duration);
        if let (Some(at), Some(timeout), Some(interval)) = (&timeout, spent(&timeout), spent(&interval))
            && timeout > interval
            && !interval.is_zero()
        {
            let interval = format_duration(interval);
            let message = format!("a probe that may take {} cannot run every {interval}", at.shown());
            findings.push(at.place(), at.path(), message, format!("{interval} or less"));
        }
        let within = probe.get("read_back").and_then(|read_back| read_back.get("within"));
        if let (Some(at), Some(timeout)) = (&within, spent(&timeout))
            && spent(&within).is_some_and(|within| within > timeout)
        {
            let timeout = format_duration(timeout);
            let message = format!("the whole probe may take {timeout}, and this is longer");
            findings.push(at.place(), at.path(), message, format!("{timeout} or less"));
        }
        for at in [interval, timeout, within].into_iter().flatten() {
            refuse_zero(&at, "10s", findings);
        }
    }
    if let Some(at) = root.get("detection").and_then(|detection| detection.get("hold_down"))
        && at.duration().is_some_and(|duration| duration.is_zero())
    {
        let message = "without a pause after a failover, the next could start at once and the regions would flap";
        findings.push(at.place(), at.path(), message, "10m or more");
    }
    damping(root, findings);
    objective(root, findings);
    recovered(root, findings);
    timeouts(root, findings);
    if let Some(at) = root.get("approvals").and_then(|approvals| approvals.get("expires")) {
        refuse_zero(&at, "30m", findings);
    }
    for at in root.list("waivers").iter().filter_map(|waiver| waiver.get("until")) {
        if at.text().is_some_and(|text| text.parse::<Date>().is_err()) {
            let message = format!("`{}` is not a day of any year", at.shown());
            findings.push(at.place(), at.path(), message, "a day such as 2027-03-31");
        }
    }
}

fn refuse_zero(at: &At<'_>, instead: &str, findings: &mut Findings<'_>) {
    if at.duration().is_some_and(|duration| duration.is_zero()) {
        findings.push(at.place(), at.path(), "this takes no time at all", format!("a duration such as {instead}"));
    }
}

/// Damping that would damp nothing, or never let go.
fn damping(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(detection) = root.get("detection") else { return };
    for at in [("damping", "half_life"), ("damping", "max_suppress"), ("suspicion", "min_deviation")]
        .into_iter()
        .filter_map(|(block, key)| detection.get(block)?.get(key))
    {
        refuse_zero(&at, "10m", findings);
    }
    let Some(block) = detection.get("damping") else { return };
    let default = DampingSpec::default();
    let number = |key, default| block.get(key).map_or(Some(u64::from(default)), |at| at.number());
    let (Some(suppress), Some(reuse)) = (number("suppress", default.suppress), number("reuse", default.reuse)) else {
        return;
    };
    let place = |key| block.get(key).unwrap_or_else(|| block.clone());
    if reuse >= suppress {
        let at = place("reuse");
        let message =
            format!("a verdict suspended from a penalty of {suppress} would count again at {reuse}, which is no less");
        findings.push(at.place(), at.path(), message, format!("less than {suppress}; the default is a third of it"));
        return;
    }
    let time = |key, default| block.get(key).map_or(Some(default), |at| at.duration());
    if let (Some(half_life), Some(longest)) =
        (time("half_life", default.half_life), time("max_suppress", default.max_suppress))
        && let (Ok(suppress), Ok(reuse)) = (u32::try_from(suppress), u32::try_from(reuse))
        && !half_life.is_zero()
        && !longest.is_zero()
    {
        // What takes `longest` to sink to `reuse` is the most that is kept of a penalty.
        let needed = half_life.mul_f64((f64::from(suppress) / f64::from(reuse.max(1))).log2());
        if longest < needed {
            let at = place("max_suppress");
            let message = format!(
                "no verdict would ever be suspended: a penalty of {suppress} takes {} to sink to {reuse}, and {} is the most",
                format_duration(needed),
                format_duration(longest),
            );
            findings.push(at.place(), at.path(), message, "a longer `max_suppress` or a shorter `half_life`");
        }
    }
}

/// An RTO that detection alone would use up.
fn objective(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(rto) = root.get("objectives").and_then(|objectives| objectives.get("rto")) else { return };
    let Some(wanted) = rto.duration() else { return };
    let dwell = root.get("detection").and_then(|detection| detection.duration_at("dwell")).unwrap_or_default();
    let fastest = root.list("probes").iter().filter(|probe| votes(probe)).filter_map(detect_max).min();
    let Some((spent, probe)) = fastest else { return };
    let needed = spent.saturating_add(dwell);
    if needed >= wanted {
        let needed = format_duration(needed);
        let message = format!(
            "detection alone can take {needed}: probe `{probe}` up to {}, then {} of dwell",
            format_duration(spent),
            format_duration(dwell),
        );
        let remedy = format!("more than {needed}, or a shorter interval, timeout, threshold or dwell");
        findings.push(rto.place(), rto.path(), message, remedy);
    }
}

/// As [`ProbeKind::votes`](super::super::ProbeKind::votes).
pub(super) fn votes(probe: &At<'_>) -> bool {
    !matches!(probe.text_at("kind"), Some("certificate" | "dns"))
}

/// As [`ProbeSpec::detect_max`](super::super::ProbeSpec::detect_max), of a probe that may be half written.
fn detect_max<'a>(probe: &At<'a>) -> Option<(Duration, &'a str)> {
    let (interval, timeout) = (probe.duration_at("interval")?, probe.duration_at("timeout")?);
    let trip = u32::try_from(probe.get("threshold")?.number_at("trip")?).ok().filter(|trip| *trip > 0)?;
    let spent = interval.saturating_mul(trip).saturating_add(timeout.saturating_mul(trip));
    Some((spent, probe.text_at("id").unwrap_or("?")))
}

/// A run that could not watch for as long as health has to stay green.
fn recovered(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(block) = root.get("objectives").and_then(|objectives| objectives.get("recovered")) else { return };
    let (Some(stays), Some(within)) = (block.get("stays"), block.get("within")) else { return };
    refuse_zero(&stays, "30s", findings);
    if let (Some(needed), Some(given)) = (stays.duration(), within.duration())
        && given < needed
    {
        let needed = format_duration(needed);
        let message = format!("health cannot stay green for {needed} within {}", within.shown());
        findings.push(within.place(), within.path(), message, format!("{needed} or more"));
    }
}

fn timeouts(root: &At<'_>, findings: &mut Findings<'_>) {
    let Some(block) = root.get("timeouts") else { return };
    let written: Vec<(At<'_>, Duration)> = ["call", "step", "run"]
        .iter()
        .filter_map(|key| block.get(key))
        .filter_map(|at| at.duration().map(|duration| (at, duration)))
        .collect();
    for (at, _) in &written {
        refuse_zero(at, "8s", findings);
    }
    if let Some((at, _)) = written.iter().find(|(at, call)| at.path().ends_with(".call") && *call > LONGEST_CALL) {
        let message = "a lost region answers nothing, and each call to it would wait this long";
        findings.push(at.place(), at.path(), message, "10s or less");
    }
    for pair in written.windows(2) {
        if let [(inner, shorter), (outer, longer)] = pair
            && shorter > longer
            && !longer.is_zero()
        {
            let message = format!("{} is longer than {}, which holds it", inner.path(), outer.path());
            findings.push(outer.place(), outer.path(), message, format!("{} or more", format_duration(*shorter)));
        }
    }
}
