use serde::{Deserialize, Serialize};

/// How a quantity came out over many drills, in seconds. A drill that did not recover counts as longer than any other:
/// a percentile that falls among those is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Percentiles {
    /// The shortest.
    pub min: Option<f64>,
    /// Half were no longer.
    pub p50: Option<f64>,
    /// Nine of ten were no longer.
    pub p90: Option<f64>,
    /// Nineteen of twenty were no longer.
    pub p95: Option<f64>,
    /// Ninety-nine of a hundred were no longer.
    pub p99: Option<f64>,
    /// The longest.
    pub max: Option<f64>,
}

impl Percentiles {
    /// Of these, where infinity stands for never. Sorts them.
    pub(super) fn of(values: &mut [f64]) -> Self {
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| quantile(values, share).filter(|value| value.is_finite());
        Self { min: at(0.0), p50: at(0.5), p90: at(0.9), p95: at(0.95), p99: at(0.99), max: at(1.0) }
    }
}

/// The smallest value that at least `share` of the sorted values do not exceed: one that was played, never one between two.
pub(super) fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a place among at most ten million"
    )]
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_played() {
        let mut values: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        let of = Percentiles::of(&mut values);
        assert_eq!((of.min, of.p50, of.p95, of.max), (Some(1.0), Some(50.0), Some(95.0), Some(100.0)));
    }

    #[test]
    fn what_never_recovered_is_longer_than_all() {
        let of = Percentiles::of(&mut [5.0, f64::INFINITY, 3.0, 4.0]);
        assert_eq!((of.p50, of.p90, of.max), (Some(4.0), None, None));
        assert_eq!(Percentiles::of(&mut []), Percentiles::default());
    }
}
