use rustix::time::{ClockId, Timespec, clock_gettime};

use crate::Outcome;

/// CPU seconds that `work` took, of every thread of this process.
pub(crate) fn seconds<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(f64, T)> {
    let before = spent();
    let value = work()?;
    Ok((spent() - before, value))
}

fn spent() -> f64 {
    let Timespec { tv_sec, tv_nsec } = clock_gettime(ClockId::ProcessCPUTime);
    tv_sec as f64 + tv_nsec as f64 / 1e9
}

/// The middle one of a few rounds.
pub(crate) fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}
