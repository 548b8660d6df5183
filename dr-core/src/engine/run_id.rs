use rand::{Rng, RngExt as _};

use crate::{
    model::RunId,
    time::{SharedClock, Timestamp},
};

/// Makes a run's name of the moment and a random part: `20261123T041500Z-ab12cd`. Names sort by time.
///
/// ```
/// use std::sync::Arc;
/// use dr_core::{engine::new_run_id, time::{ManualClock, SharedClock}};
///
/// let clock: SharedClock = Arc::new(ManualClock::new());
/// assert!(new_run_id(&clock).as_str().starts_with("19700101T000000Z-"));
/// ```
#[must_use]
pub fn new_run_id(clock: &SharedClock) -> RunId {
    run_id_from(clock.wall(), &mut rand::rng())
}

/// The same with the randomness given, so that a seeded drill names its runs alike each time.
#[must_use]
pub fn run_id_from(at: Timestamp, random: &mut impl Rng) -> RunId {
    // 1970-01-01T00:00:00.000Z, without what a name cannot hold.
    let moment: String = at.to_string().chars().take_while(|c| *c != '.').filter(|c| !"-:".contains(*c)).collect();
    let tail = random.random_range(0..0x0100_0000_u32);
    name(format!("{moment}Z-{tail:06x}"))
}

#[expect(clippy::expect_used, reason = "digits, letters and hyphens, far fewer than 128")]
fn name(text: String) -> RunId {
    RunId::new(text).expect("the rules of names")
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng as _;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn names_are_readable_sort_by_time_and_repeat_with_the_seed() {
        let at = Timestamp::from_millis(1_795_407_300_000);
        let first = run_id_from(at, &mut ChaCha8Rng::seed_from_u64(7));
        assert_eq!(first, run_id_from(at, &mut ChaCha8Rng::seed_from_u64(7)));
        assert_ne!(first, run_id_from(at, &mut ChaCha8Rng::seed_from_u64(8)));
        assert!(first.as_str().starts_with("20261123T041500Z-"), "{first}");
        let later = Timestamp::from_millis(1_795_407_301_000);
        assert!(first < run_id_from(later, &mut ChaCha8Rng::seed_from_u64(0)));
    }
}
