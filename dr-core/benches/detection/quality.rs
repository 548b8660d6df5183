//! Quality of service as Chen, Toueg and Aguilera define it: how long until a fault is suspected for good, and how often a
//! region that serves is suspected.

use crate::trace::{Fault, Trace, Weather, draw};

/// The conditions without a fault, by name.
pub(crate) const WEATHERS: [(&str, Weather); 5] = [
    ("log-normal", Weather { heavy_tails: false, loss: false, pauses: false, partitions: false }),
    ("heavy tails", Weather { heavy_tails: true, loss: false, pauses: false, partitions: false }),
    ("bursts of loss", Weather { heavy_tails: true, loss: true, pauses: false, partitions: false }),
    ("observers pause", Weather { heavy_tails: true, loss: false, pauses: true, partitions: false }),
    ("partitions", Weather { heavy_tails: true, loss: false, pauses: false, partitions: true }),
];
const HOURS: f64 = 2.0;
/// Detectors learn at first, and what they say meanwhile does not count.
const LEARNING: f64 = 120.0;
const FAULTS: [Fault; 3] = [Fault::Refuse, Fault::BlackHole, Fault::Gray];
const TRIALS: u64 = 100;
/// How long a fault lasts.
const LASTS: f64 = 60.0;

/// Every trace that a detector is judged by.
pub(crate) struct Course {
    quiet: Vec<Trace>,
    faults: Vec<(Fault, Trace)>,
}

/// How a detector did.
#[derive(Clone, Debug)]
pub(crate) struct Score {
    /// Suspicions an hour of a region that served, in each weather.
    pub(crate) by_weather: Vec<f64>,
    /// The mean of them.
    pub(crate) mistakes: f64,
    /// From a fault to suspicion for good: the mean for each fault, then the mean and the 99th percentile of all.
    pub(crate) by_fault: Vec<f64>,
    pub(crate) mean: f64,
    pub(crate) p99: f64,
    /// Faults that were not suspected for good while they lasted. They count as found when they ended.
    pub(crate) missed: usize,
}

impl Course {
    pub(crate) fn new() -> Self {
        let quiet = (0_u64..).zip(WEATHERS).map(|(n, (_, weather))| draw(1_000 + n, HOURS * 3_600.0, weather, None));
        let faults = FAULTS.into_iter().flat_map(|fault| {
            (0..TRIALS).map(move |trial| {
                // The phases of the looks are drawn from the seed, so the fault may as well come at a round moment.
                let weather = Weather { heavy_tails: true, loss: true, ..Weather::default() };
                (fault, draw(7_000 + trial, LEARNING + LASTS, weather, Some((fault, LEARNING))))
            })
        });
        Self { quiet: quiet.collect(), faults: faults.collect() }
    }

    pub(crate) fn hours(&self) -> f64 {
        self.quiet.iter().map(|trace| trace.seconds / 3_600.0).sum()
    }

    pub(crate) fn judge(&self, detector: impl Fn(&Trace) -> Vec<(f64, bool)>) -> Score {
        let by_weather: Vec<f64> = self.quiet.iter().map(|trace| mistakes_an_hour(trace, &detector(trace))).collect();
        let found: Vec<(Fault, Option<f64>)> =
            self.faults.iter().map(|(fault, trace)| (*fault, detection(trace, &detector(trace)))).collect();
        let of = |wanted: Fault| {
            mean(found.iter().filter(|(fault, _)| *fault == wanted).map(|(_, took)| took.unwrap_or(LASTS)))
        };
        let mut all: Vec<f64> = found.iter().map(|(_, took)| took.unwrap_or(LASTS)).collect();
        all.sort_by(f64::total_cmp);
        Score {
            mistakes: mean(by_weather.iter().copied()),
            by_weather,
            by_fault: FAULTS.map(of).into(),
            mean: mean(all.iter().copied()),
            p99: all[all.len() * 99 / 100],
            missed: found.iter().filter(|(_, took)| took.is_none()).count(),
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, n) = values.fold((0.0, 0.0), |(sum, n), value| (sum + value, n + 1.0));
    sum / f64::max(n, 1.0)
}

/// Turns to suspicion an hour, where nothing is wrong.
pub(crate) fn mistakes_an_hour(trace: &Trace, turns: &[(f64, bool)]) -> f64 {
    let count = turns.iter().filter(|(at, suspects)| *suspects && *at >= LEARNING.min(trace.seconds / 10.0)).count();
    f64::from(u32::try_from(count).unwrap_or(u32::MAX)) / (trace.seconds / 3_600.0)
}

/// From the fault to the suspicion that lasts until the end, if there is one.
pub(crate) fn detection(trace: &Trace, turns: &[(f64, bool)]) -> Option<f64> {
    let fault = trace.fault?;
    let (at, suspects) = turns.iter().rfind(|(at, _)| *at <= trace.seconds)?;
    suspects.then(|| (at - fault).max(0.0))
}
