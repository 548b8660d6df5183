use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use dr_core::time::Timestamp;

use super::MetricId;

/// How long values are kept; the minutes of CloudWatch's are kept for days, which no drill lasts.
const RETENTION: Duration = Duration::from_secs(6 * 3600);

/// A value at a time.
#[derive(Clone, Copy, Debug)]
struct Sample {
    at: Timestamp,
    value: f64,
}

/// The metrics of one region.
#[derive(Debug, Default)]
pub(super) struct Store {
    metrics: BTreeMap<MetricId, VecDeque<Sample>>,
}

/// The values of one period, taken together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Period {
    pub(super) start: Timestamp,
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) minimum: f64,
    pub(super) maximum: f64,
}

impl Period {
    /// A statistic by its name; nothing for one that is not here, such as a percentile.
    pub(super) fn statistic(&self, name: &str) -> Option<f64> {
        match name {
            "SampleCount" => Some(self.count),
            "Sum" => Some(self.sum),
            "Minimum" => Some(self.minimum),
            "Maximum" => Some(self.maximum),
            "Average" => Some(self.sum / self.count),
            _ => None,
        }
    }
}

impl Store {
    pub(super) fn put(&mut self, metric: MetricId, at: Timestamp, value: f64) {
        let samples = self.metrics.entry(metric).or_default();
        samples.push_back(Sample { at, value });
        while samples.front().is_some_and(|oldest| at.since(oldest.at) > RETENTION) {
            samples.pop_front();
        }
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = &MetricId> {
        self.metrics.keys()
    }

    /// The periods from `start` to before `end` that hold values not younger than `until`, oldest first.
    pub(super) fn periods(
        &self,
        metric: &MetricId,
        start: Timestamp,
        end: Timestamp,
        period: Duration,
        until: Timestamp,
    ) -> Vec<Period> {
        let period = i64::try_from(period.as_millis()).unwrap_or(i64::MAX).max(1000);
        let mut periods: BTreeMap<i64, Period> = BTreeMap::new();
        let samples = self.metrics.get(metric).into_iter().flatten();
        for Sample { at, value } in samples.filter(|sample| (start..end).contains(&sample.at) && sample.at <= until) {
            let begins = at.as_millis().div_euclid(period) * period;
            let entry = periods.entry(begins).or_insert(Period {
                start: Timestamp::from_millis(begins),
                count: 0.0,
                sum: 0.0,
                minimum: f64::INFINITY,
                maximum: f64::NEG_INFINITY,
            });
            entry.count += 1.0;
            entry.sum += value;
            entry.minimum = entry.minimum.min(*value);
            entry.maximum = entry.maximum.max(*value);
        }
        periods.into_values().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_fall_into_the_periods_that_hold_them() {
        let mut store = Store::default();
        let lag = MetricId::new("AWS/RDS", "Lag", [("DBClusterIdentifier", "a")]);
        let at = |s: i64| Timestamp::from_millis(s * 1000);
        for (second, value) in [(0, 1.0), (59, 3.0), (60, 5.0), (120, 7.0)] {
            store.put(lag.clone(), at(second), value);
        }
        let periods = store.periods(&lag, at(0), at(120), Duration::from_secs(60), at(1000));
        assert_eq!(periods.len(), 2);
        assert_eq!(periods[0].statistic("Average"), Some(2.0));
        assert_eq!(periods[0].statistic("Maximum"), Some(3.0));
        assert_eq!(periods[1].start, at(60));
        assert_eq!(periods[1].statistic("p99"), None);
        // What is read of the past does not hold what came later.
        assert_eq!(store.periods(&lag, at(0), at(120), Duration::from_secs(60), at(10)).len(), 1);
        assert!(store.periods(&MetricId::new("x", "y", []), at(0), at(9), Duration::from_secs(60), at(9)).is_empty());
    }
}
