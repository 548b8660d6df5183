use serde::{Deserialize, Serialize};

use super::Offset;

/// What a population of clients felt: requests that succeeded and failed, in buckets of equal width.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ClientSeries {
    /// Where the first bucket begins.
    pub from: Offset,
    /// The width of a bucket in seconds, above 0.
    pub width_s: f64,
    /// Requests that succeeded, a bucket each.
    pub succeeded: Vec<u32>,
    /// Requests that failed or got no answer in time, a bucket each.
    pub failed: Vec<u32>,
}

/// The longest stretch in which clients were not served.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outage {
    /// The last success before it.
    pub from: Offset,
    /// The first success after it.
    pub to: Offset,
}

impl ClientSeries {
    /// An empty series whose buckets begin at `from` and are `width_s` seconds wide.
    #[must_use]
    pub fn new(from: Offset, width_s: f64) -> Self {
        Self { from, width_s, succeeded: Vec::new(), failed: Vec::new() }
    }

    /// Counts one request that ended `at`; one that ended before the first bucket is not counted.
    pub fn count(&mut self, at: Offset, succeeded: bool) {
        let position = at.since(self.from) / self.width_s;
        if !(position >= 0.0 && position < f64::from(u32::MAX)) {
            return;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above")]
        let bucket = position as usize;
        let length = self.len().max(bucket + 1);
        self.succeeded.resize(length, 0);
        self.failed.resize(length, 0);
        let counts = if succeeded { &mut self.succeeded } else { &mut self.failed };
        if let Some(count) = counts.get_mut(bucket) {
            *count = count.saturating_add(1);
        }
    }

    /// How many buckets there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.succeeded.len().max(self.failed.len())
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Where the last bucket ends.
    #[must_use]
    pub fn to(&self) -> Offset {
        self.start_of(self.len())
    }

    /// The buckets: where each begins, how many requests succeeded in it and how many failed.
    pub fn buckets(&self) -> impl Iterator<Item = (Offset, u32, u32)> + '_ {
        (0..self.len()).map(|bucket| {
            let count = |counts: &[u32]| counts.get(bucket).copied().unwrap_or_default();
            (self.start_of(bucket), count(&self.succeeded), count(&self.failed))
        })
    }

    /// The same series in buckets `factor` times as wide.
    #[must_use]
    pub fn widened(&self, factor: usize) -> Self {
        let factor = factor.max(1);
        let sums = |counts: &[u32]| counts.chunks(factor).map(|chunk| chunk.iter().sum()).collect();
        #[expect(clippy::cast_precision_loss, reason = "a factor of pixels")]
        let width_s = self.width_s * factor as f64;
        Self { from: self.from, width_s, succeeded: sums(&self.succeeded), failed: sums(&self.failed) }
    }

    /// When at least `share` of the requests succeeded again after `outage`, and did so for `steady_s` seconds on end.
    #[must_use]
    pub fn served_again(&self, outage: Outage, share: f64, steady_s: f64) -> Option<Offset> {
        let well = |succeeded: u32, failed: u32| {
            succeeded > 0 && f64::from(succeeded) >= share * (f64::from(succeeded) + f64::from(failed))
        };
        let mut since: Option<Offset> = None;
        // From the bucket that holds the first success on.
        for (at, succeeded, failed) in self.buckets().filter(|(at, ..)| at.secs() + self.width_s > outage.to.secs()) {
            if !well(succeeded, failed) {
                since = None;
                continue;
            }
            let began = *since.get_or_insert(at);
            if at.since(began) + self.width_s >= steady_s {
                // The first bucket holds failures from before the first success as well.
                return Some(if began < outage.to { outage.to } else { began });
            }
        }
        None
    }

    fn start_of(&self, bucket: usize) -> Offset {
        #[expect(clippy::cast_precision_loss, reason = "a drill has far fewer than 2^52 buckets")]
        let passed = bucket as f64 * self.width_s;
        Offset::from_secs(self.from.secs() + passed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series() -> ClientSeries {
        ClientSeries {
            from: Offset::from_secs(-2.0),
            width_s: 1.0,
            succeeded: vec![9, 9, 0, 0, 3, 9, 8, 9, 9, 9],
            failed: vec![0, 0, 4, 4, 6, 0, 1, 0, 0, 0],
        }
    }

    #[test]
    fn requests_fall_into_their_buckets() {
        let mut counted = ClientSeries::new(Offset::from_secs(-1.0), 0.5);
        counted.count(Offset::from_secs(-1.0), true);
        counted.count(Offset::from_secs(0.2), false);
        counted.count(Offset::from_secs(0.4), true);
        counted.count(Offset::from_secs(-3.0), true);
        assert_eq!((counted.succeeded, counted.failed), (vec![1, 0, 1], vec![0, 0, 1]));
    }

    #[test]
    fn wider_buckets_hold_the_same_requests() {
        let wide = series().widened(4);
        assert_eq!(wide.succeeded, [18, 29, 18]);
        assert_eq!(wide.failed, [8, 7, 0]);
        assert_eq!(wide.to(), Offset::from_secs(10.0));
    }

    #[test]
    fn served_again_means_served_steadily() {
        let outage = Outage { from: Offset::from_secs(0.0), to: Offset::from_secs(2.5) };
        let again = |share| series().served_again(outage, share, 3.0);
        assert_eq!(again(0.3), Some(Offset::from_secs(2.5)));
        assert_eq!(again(0.85), Some(Offset::from_secs(3.0)));
        assert_eq!(again(0.99), Some(Offset::from_secs(5.0)));
        assert_eq!(series().served_again(outage, 0.99, 60.0), None);
    }
}
