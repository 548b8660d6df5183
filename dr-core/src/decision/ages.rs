use std::{collections::BTreeMap, time::Duration};

use super::Now;
use crate::time::{Monotonic, Timestamp};

/// How old records are. The wall is read once for each, when it is first met; from then on its age grows by the monotonic
/// clock, so that a wall that is set forward or back meanwhile lifts no block.
#[derive(Clone, Debug, Default)]
pub(super) struct Ages(BTreeMap<Timestamp, (Monotonic, Duration)>);

impl Ages {
    pub(super) fn of(&mut self, record: Timestamp, now: Now) -> Duration {
        let (met, age) = *self.0.entry(record).or_insert_with(|| (now.monotonic, now.wall.since(record)));
        age.saturating_add(now.monotonic.since(met))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_that_jumps_changes_no_age() {
        let (mut ages, s) = (Ages::default(), Duration::from_secs);
        let at = |mono: u64, wall: i64| Now {
            monotonic: Monotonic::new(s(mono)),
            wall: Timestamp::from_millis(wall * 1000),
        };
        let record = Timestamp::from_millis(100_000);
        assert_eq!(ages.of(record, at(5, 160)), s(60), "met a minute after it was written");
        assert_eq!(ages.of(record, at(15, 100_000)), s(70), "set forward");
        assert_eq!(ages.of(record, at(25, 0)), s(80), "set back");
    }
}
