use std::collections::VecDeque;

use super::{FIRST, Heartbeats, count};

/// How many waits are remembered, as in the paper's experiments.
const WINDOW: usize = 1_000;
/// Waits before there is an estimate.
const FEWEST: usize = 3;
/// No estimate of a deviation below this is believed, so that phi is defined.
const FLOOR: f64 = 0.001;

/// Hayashibara, Défago, Yared and Katayama, "The φ Accrual Failure Detector", SRDS 2004, with a threshold: the waits between
/// heartbeats are held to be normal, and suspicion begins when one as long as this comes with a probability below 10^-φ.
#[derive(Clone, Debug)]
pub(crate) struct Phi {
    deviations: f64,
    waits: VecDeque<f64>,
    sum: f64,
    squares: f64,
    latest: Option<f64>,
}

impl Phi {
    /// A detector whose threshold lies `deviations` standard deviations beyond the mean, which is what a φ amounts to.
    pub(crate) fn new(deviations: f64) -> Self {
        Self { deviations, waits: VecDeque::new(), sum: 0.0, squares: 0.0, latest: None }
    }
}

impl Heartbeats for Phi {
    fn arrived(&mut self, _number: f64, at: f64) -> f64 {
        if let Some(latest) = self.latest.replace(at) {
            let wait = at - latest;
            self.waits.push_back(wait);
            self.sum += wait;
            self.squares += wait * wait;
            if self.waits.len() > WINDOW {
                let oldest = self.waits.pop_front().unwrap_or_default();
                self.sum -= oldest;
                self.squares -= oldest * oldest;
            }
        }
        if self.waits.len() < FEWEST {
            return at + FIRST;
        }
        let n = count(self.waits.len());
        let mean = self.sum / n;
        let deviation = (self.squares / n - mean * mean).max(0.0).sqrt().max(FLOOR);
        at + mean + self.deviations * deviation
    }
}
