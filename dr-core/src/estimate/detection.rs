use super::{
    compile::{Compiled, Detection, Probe},
    draw::Draw,
};

/// When the verdict falls, in seconds after the fault; at once when nothing has to be noticed.
///
/// An observer holds the region lost once each probe's `trip`-th look has ended; the quorum has agreed since the last of as
/// many observers as it needs, one outside the regions among them; the verdict falls when time reaches the detector
/// after the dwell: at the decider's tick, or with any look that ends.
pub(super) fn verdict_at(model: &Compiled, draw: &Draw, held: &mut Vec<f64>) -> f64 {
    let Some(detection) = &model.detection else { return 0.0 };
    held.clear();
    let (mut outside, mut due) = (f64::INFINITY, f64::INFINITY);
    let probes = detection.probes.len();
    for (looks, is_outside) in draw.looks.chunks_exact(probes).zip(&detection.outside) {
        let tripped = looks.iter().zip(&detection.probes).map(|(phase, probe)| ends(probe, *phase, probe.trip - 1));
        let tripped = tripped.fold(0.0, f64::max);
        held.push(tripped);
        if *is_outside {
            outside = outside.min(tripped);
        }
    }
    held.sort_unstable_by(f64::total_cmp);
    if let Some(agreed) = held.get(detection.quorum - 1) {
        due = agreed.max(outside) + detection.dwell;
    }
    let mut told = next_tick(detection, draw, due);
    for looks in draw.looks.chunks_exact(probes) {
        for (phase, probe) in looks.iter().zip(&detection.probes) {
            told = told.min(next_end(probe, *phase, due));
        }
    }
    told
}

/// When the look number `n` (from 0) after the fault ends.
pub(super) fn ends(probe: &Probe, phase: f64, n: u32) -> f64 {
    phase * probe.interval + f64::from(n) * probe.spacing + probe.look
}

/// The first end of a look that is not before `due`.
fn next_end(probe: &Probe, phase: f64, due: f64) -> f64 {
    next(ends(probe, phase, 0), probe.spacing, due)
}

/// The first of `first`, `first + every`, ... that is not before `due`.
///
/// A dwell of one interval ends exactly when a look does. The sliver keeps the rounding of sums from making that a look too
/// early, and is far below the nanosecond that clocks are cut into.
fn next(first: f64, every: f64, due: f64) -> f64 {
    const SLIVER: f64 = 1e-10;
    first + ((due - first) / every - SLIVER).ceil().max(0.0) * every
}

/// The first tick that is not before `due`.
pub(super) fn next_tick(detection: &Detection, draw: &Draw, due: f64) -> f64 {
    next(draw.tick * detection.tick, detection.tick, due)
}
