use std::{collections::VecDeque, time::Duration};

use serde::{Deserialize, Serialize};

use crate::time::Monotonic;

/// When the silence of a check is unusual: the accrual detector of Hayashibara et al. ("The φ Accrual Failure Detector",
/// SRDS 2004), used for suspicion alone.
///
/// The time between two good looks is held to be normally distributed. `phi` is the negative decimal logarithm of the
/// probability that a good look is still to come after so long a wait: at 8, one wait in a hundred million. It notices a
/// loss before the first look has timed out, from nothing but that nothing came, and is therefore never a vote: a wait
/// says nothing of who is at fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Suspicion {
    /// From which phi on an observer suspects.
    pub phi: u32,
    /// The least standard deviation that is believed. Looks at a fixed rate of a target nearby hardly vary, and without a
    /// floor the first hiccup would be an alarm.
    pub min_deviation: Duration,
    /// How many waits are remembered.
    pub samples: u32,
}

/// Waits that must be known before any wait is called unusual.
const FEWEST: usize = 8;

impl Default for Suspicion {
    fn default() -> Self {
        Self { phi: 8, min_deviation: Duration::from_millis(500), samples: 128 }
    }
}

impl Suspicion {
    /// What keeps it from suspecting anything; empty when nothing does.
    pub(super) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.phi == 0 || self.phi > 300 {
            problems.push(format!("a suspicion at a phi of {} is none: ask for 1 to 300", self.phi));
        }
        if self.min_deviation.is_zero() {
            problems.push("suspicion needs a least deviation above zero, or the first hiccup is an alarm".to_owned());
        }
        if usize::try_from(self.samples).unwrap_or(usize::MAX) < FEWEST || self.samples > 10_000 {
            problems.push(format!("suspicion cannot be drawn from {} waits: remember {FEWEST} to 10000", self.samples));
        }
        problems
    }

    /// How many standard deviations beyond the mean a wait has this phi.
    #[must_use]
    pub fn deviations(&self) -> f64 {
        deviations_at(f64::from(self.phi))
    }
}

/// How likely it is that a normal variable exceeds its mean by `z` standard deviations, as a negative decimal logarithm.
///
/// ```
/// use dr_core::detect::phi;
///
/// assert!((phi(0.0) - 0.301).abs() < 1e-3, "one in two");
/// assert!((phi(1.2816) - 1.0).abs() < 1e-4, "one in ten");
/// assert!((phi(5.6120) - 8.0).abs() < 1e-3, "one in a hundred million");
/// ```
#[must_use]
pub fn phi(z: f64) -> f64 {
    let density = |z: f64| (-0.5 * z * z).exp() / std::f64::consts::TAU.sqrt();
    if z < 2.0 {
        // Near the mean: the distribution function as a series (Abramowitz and Stegun, 26.2.11).
        let (mut term, mut sum, mut n) = (z, z, 1.0);
        while term.abs() > 1e-17 && n < 400.0 {
            n += 2.0;
            term *= z * z / n;
            sum += term;
        }
        return -(0.5 - density(z) * sum).max(f64::MIN_POSITIVE).log10();
    }
    // Far from it: Laplace's continued fraction, whose logarithm does not run out of numbers (26.2.14).
    let fraction = (1..=120).rev().fold(z, |rest, k| z + f64::from(k) / rest);
    0.5 * z * z * std::f64::consts::LOG10_E + 0.5 * std::f64::consts::TAU.log10() + fraction.log10()
}

/// The inverse of [`phi`], for values above one half.
fn deviations_at(wanted: f64) -> f64 {
    let (mut low, mut high) = (0.0, 40.0);
    for _ in 0..80 {
        let middle = 0.5 * (low + high);
        if phi(middle) < wanted { low = middle } else { high = middle }
    }
    high
}

/// The waits between good looks of one check by one observer.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    kept: VecDeque<Duration>,
    last_good: Option<Monotonic>,
    /// Whether the latest look was good, so that a wait that ends now was one look long and nobody's pause.
    clean: bool,
    overdue_at: Option<Monotonic>,
}

impl Waits {
    /// A look was good at `at`. The wait since the one before is kept if nothing lay between them: a wait that holds the
    /// observer's own pause, or an outage, says nothing of what is usual.
    pub(super) fn good(&mut self, at: Monotonic, policy: &Suspicion, deviations: f64) {
        if let (Some(before), true) = (self.last_good, self.clean)
            && at > before
        {
            if self.kept.len() >= usize::try_from(policy.samples).unwrap_or(usize::MAX) {
                self.kept.pop_front();
            }
            self.kept.push_back(at.since(before));
        }
        (self.last_good, self.clean) = (Some(at), true);
        self.overdue_at = self.usual(policy, deviations).map(|usual| at + usual);
    }

    /// A look was bad, or could not be made.
    pub(super) fn spoilt(&mut self) {
        self.clean = false;
    }

    /// A silence so long that what was known before is forgotten.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// The longest wait that is not suspicious; none while too little is known.
    fn usual(&self, policy: &Suspicion, deviations: f64) -> Option<Duration> {
        if self.kept.len() < FEWEST {
            return None;
        }
        let n = self.kept.iter().fold(0.0, |n, _| n + 1.0);
        let mean = self.kept.iter().map(Duration::as_secs_f64).sum::<f64>() / n;
        let variance = self.kept.iter().map(|wait| (wait.as_secs_f64() - mean).powi(2)).sum::<f64>() / n;
        let deviation = variance.sqrt().max(policy.min_deviation.as_secs_f64());
        Duration::try_from_secs_f64(mean + deviations * deviation).ok()
    }

    /// Since when a good look is overdue, if none comes before.
    pub(super) fn overdue_at(&self) -> Option<Monotonic> {
        self.overdue_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: Suspicion = Suspicion { phi: 8, min_deviation: Duration::from_millis(500), samples: 32 };

    fn at(secs: f64) -> Monotonic {
        Monotonic::new(Duration::from_secs_f64(secs))
    }

    fn steady(looks: u32) -> Waits {
        let mut waits = Waits::default();
        (0..looks).for_each(|i| waits.good(at(10.0 * f64::from(i)), &POLICY, POLICY.deviations()));
        waits
    }

    #[test]
    fn phi_and_its_inverse_agree_from_the_middle_to_the_far_end() {
        for tenths in 4..3_000 {
            let wanted = f64::from(tenths) / 10.0;
            let z = deviations_at(wanted);
            assert!((phi(z) - wanted).abs() < 1e-6, "{wanted} {z} {}", phi(z));
        }
        assert!(phi(-3.0) < 1e-3, "early is not late");
    }

    #[test]
    fn a_steady_check_is_overdue_some_seconds_after_its_interval() {
        assert_eq!(steady(8).overdue_at(), None, "seven waits are too few");
        let overdue = steady(20).overdue_at().unwrap().since(at(190.0)).as_secs_f64();
        assert!((overdue - (10.0 + 5.612 * 0.5)).abs() < 1e-3, "the floor of the deviation counts: {overdue}");
    }

    #[test]
    fn a_wait_that_holds_a_pause_of_the_observer_is_thrown_away() {
        let mut waits = steady(20);
        waits.spoilt();
        waits.good(at(400.0), &POLICY, POLICY.deviations());
        let after = waits.overdue_at().unwrap().since(at(400.0));
        let steady = steady(20).overdue_at().unwrap().since(at(190.0));
        assert_eq!(after, steady, "210 s of pause are not taken for usual");
    }

    #[test]
    fn memory_is_bounded() {
        assert_eq!(steady(1_000).kept.len(), 32);
    }
}
