use std::{collections::BTreeMap, time::Duration};

use serde_json::{Value, json};

/// How long a burst is.
const BURST: Duration = Duration::from_millis(10);

/// When connections arrived, as the server saw them.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    /// The target, and when.
    all: Vec<(u32, Duration)>,
}

/// What the arrivals say of whoever made them.
#[derive(Debug, Default)]
pub(crate) struct Rhythm {
    pub(crate) arrivals: u64,
    /// By how much the mean period of a target differs from the interval, in percent, over all targets.
    pub(crate) period_error: f64,
    /// The time between two arrivals at one target that 99 of 100 do not exceed, in milliseconds.
    pub(crate) p99_interval_ms: f64,
    /// The most arrivals within ten milliseconds.
    pub(crate) burst: u64,
}

impl Arrivals {
    pub(crate) fn add(&mut self, target: u32, at: Duration) {
        self.all.push((target, at));
    }

    /// What they say, if each target was to be looked at each `interval`.
    pub(crate) fn rhythm(&self, interval: Duration) -> Rhythm {
        let mut of_target: BTreeMap<u32, Vec<Duration>> = BTreeMap::new();
        for (target, at) in &self.all {
            of_target.entry(*target).or_default().push(*at);
        }
        let (mut errors, mut intervals) = (Vec::new(), Vec::new());
        for times in of_target.values() {
            let between: Vec<Duration> =
                times.iter().zip(times.iter().skip(1)).map(|(one, next)| next.saturating_sub(*one)).collect();
            if between.is_empty() {
                continue;
            }
            let mean = between.iter().sum::<Duration>().as_secs_f64() / between.len() as f64;
            errors.push((mean / interval.as_secs_f64() - 1.0).abs() * 100.0);
            intervals.extend(between);
        }
        intervals.sort_unstable();
        let p99 = intervals.get((intervals.len() * 99).div_ceil(100).saturating_sub(1));
        Rhythm {
            arrivals: self.all.len() as u64,
            period_error: errors.iter().sum::<f64>() / (errors.len().max(1) as f64),
            p99_interval_ms: p99.copied().unwrap_or_default().as_secs_f64() * 1e3,
            burst: self.burst(),
        }
    }

    fn burst(&self) -> u64 {
        let mut times: Vec<Duration> = self.all.iter().map(|(_, at)| *at).collect();
        times.sort_unstable();
        let mut first = times.iter().peekable();
        let (mut within, mut most) = (0_u64, 0);
        for at in &times {
            within += 1;
            while first.next_if(|first| at.saturating_sub(**first) >= BURST).is_some() {
                within -= 1;
            }
            most = most.max(within);
        }
        most
    }
}

impl Rhythm {
    pub(crate) fn json(&self) -> Value {
        json!({
            "arrivals": self.arrivals,
            "period_error": self.period_error,
            "p99_interval_ms": self.p99_interval_ms,
            "burst": self.burst,
        })
    }

    pub(crate) fn read(told: &Value) -> Option<Self> {
        Some(Self {
            arrivals: told.get("arrivals")?.as_u64()?,
            period_error: told.get("period_error")?.as_f64()?,
            p99_interval_ms: told.get("p99_interval_ms")?.as_f64()?,
            burst: told.get("burst")?.as_u64()?,
        })
    }
}
