use std::{collections::BTreeMap, sync::Arc, time::Duration};

use dr_core::time::SharedClock;
use rand::{RngExt as _, SeedableRng as _};
use rand_chacha::ChaCha8Rng;
use tokio::task::JoinSet;

use super::{HealthPlane, poll};

/// The checkers, by region and address: two in each of Route 53's eight checker regions.
pub const CHECKERS: [&str; 16] = [
    "us-east-1/15.177.0.1",
    "us-east-1/15.177.0.2",
    "us-west-1/15.177.4.1",
    "us-west-1/15.177.4.2",
    "us-west-2/15.177.8.1",
    "us-west-2/15.177.8.2",
    "eu-west-1/15.177.12.1",
    "eu-west-1/15.177.12.2",
    "ap-southeast-1/15.177.16.1",
    "ap-southeast-1/15.177.16.2",
    "ap-southeast-2/15.177.20.1",
    "ap-southeast-2/15.177.20.2",
    "ap-northeast-1/15.177.24.1",
    "ap-northeast-1/15.177.24.2",
    "sa-east-1/15.177.28.1",
    "sa-east-1/15.177.28.2",
];

/// How often it is looked whether checks were made or deleted.
const ROLL_CALL: Duration = Duration::from_secs(1);

/// The fleet of checkers at work.
#[derive(Clone, Debug)]
pub struct Checkers {
    clock: SharedClock,
    plane: Arc<dyn HealthPlane>,
    seed: u64,
}

impl Checkers {
    /// Checkers of `plane`, whose phases come from `seed`.
    #[must_use]
    pub fn new(clock: SharedClock, plane: Arc<dyn HealthPlane>, seed: u64) -> Self {
        Self { clock, plane, seed }
    }

    /// Polls every check that there is or comes to be. Stops when dropped.
    pub async fn run(self) {
        let mut polled: BTreeMap<String, JoinSet<()>> = BTreeMap::new();
        let mut phases = ChaCha8Rng::seed_from_u64(self.seed);
        loop {
            let checks = self.plane.checks();
            polled.retain(|check, _| checks.contains(check));
            for check in checks {
                polled.entry(check.clone()).or_insert_with(|| self.take_up(&check, &mut phases));
            }
            self.clock.sleep(ROLL_CALL).await;
        }
    }

    fn take_up(&self, check: &str, phases: &mut ChaCha8Rng) -> JoinSet<()> {
        let mut pollers = JoinSet::new();
        for checker in CHECKERS {
            let phase = phases.random_range(0.0..1.0);
            pollers.spawn(self.clone().keep_polling(check.to_owned(), checker, phase));
        }
        pollers
    }

    async fn keep_polling(self, check: String, checker: &'static str, phase: f64) {
        if let Some(probe) = self.plane.probe(&check) {
            self.clock.sleep(probe.interval.mul_f64(phase)).await;
        }
        loop {
            // Read anew each time: a check can be changed while it is polled.
            let Some(probe) = self.plane.probe(&check) else {
                self.clock.sleep(ROLL_CALL).await;
                continue;
            };
            let seen = poll(self.clock.as_ref(), &probe).await;
            self.plane.observe(&check, checker, seen);
            self.clock.sleep(probe.interval).await;
        }
    }
}
