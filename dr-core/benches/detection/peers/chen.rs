use std::collections::VecDeque;

use super::{FIRST, Heartbeats, count};
use crate::trace::INTERVAL;

/// How many heartbeats the estimate is made of, as in the paper's experiments.
const WINDOW: usize = 1_000;
/// Beats before there is an estimate.
const FEWEST: usize = 3;

/// Chen, Toueg and Aguilera, "On the Quality of Service of Failure Detectors", IEEE Transactions on Computers 51(5), 2002:
/// NFD-E. The next heartbeat is expected at the mean of the normalised arrivals, shifted by its number, and is trusted to
/// come `alpha` seconds later at most.
#[derive(Clone, Debug)]
pub(crate) struct Chen {
    alpha: f64,
    normalised: VecDeque<f64>,
    sum: f64,
    latest: f64,
    trusted_until: f64,
}

impl Chen {
    pub(crate) fn new(alpha: f64) -> Self {
        Self { alpha, normalised: VecDeque::new(), sum: 0.0, latest: -1.0, trusted_until: 0.0 }
    }
}

impl Heartbeats for Chen {
    fn arrived(&mut self, number: f64, at: f64) -> f64 {
        let normalised = at - number * INTERVAL;
        self.normalised.push_back(normalised);
        self.sum += normalised;
        if self.normalised.len() > WINDOW {
            self.sum -= self.normalised.pop_front().unwrap_or_default();
        }
        // A heartbeat that was overtaken moves no freshness point.
        if number > self.latest {
            self.latest = number;
            let n = self.normalised.len();
            let mean = self.sum / count(n);
            let expected = mean + (number + 1.0) * INTERVAL;
            self.trusted_until = if n < FEWEST { at + FIRST } else { expected + self.alpha };
        }
        self.trusted_until
    }
}
