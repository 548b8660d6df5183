use crate::{Outcome, processor::spent};

/// CPU seconds that `work` took, of every thread of this process.
pub(crate) fn seconds<T>(work: impl FnOnce() -> Outcome<T>) -> Outcome<(f64, T)> {
    let before = spent();
    let value = work()?;
    Ok(((spent() - before).as_secs_f64(), value))
}

/// The middle one of a few rounds.
pub(crate) fn median(mut rounds: Vec<f64>) -> f64 {
    rounds.sort_by(f64::total_cmp);
    rounds.get(rounds.len() / 2).copied().unwrap_or_default()
}
