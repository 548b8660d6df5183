use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use dr_core::{
    model::RegionId,
    testing::{EffectLog, FaultBoard},
    time::{Monotonic, SharedClock, Timestamp},
};

/// What every service of a world shares.
#[derive(Clone, Debug)]
pub struct WorldCx {
    clock: SharedClock,
    account: Arc<str>,
    regions: Arc<[RegionId]>,
    faults: FaultBoard,
    effects: EffectLog,
    requests: Arc<AtomicU64>,
}

impl WorldCx {
    pub(super) fn new(
        clock: SharedClock,
        account: &str,
        regions: Vec<RegionId>,
        faults: FaultBoard,
        effects: EffectLog,
    ) -> Self {
        Self { clock, account: account.into(), regions: regions.into(), faults, effects, requests: Arc::default() }
    }

    /// The world's time.
    #[must_use]
    pub fn clock(&self) -> &SharedClock {
        &self.clock
    }

    /// The number of the one account, twelve digits.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.account
    }

    /// The regions there are.
    #[must_use]
    pub fn regions(&self) -> &[RegionId] {
        &self.regions
    }

    /// The switches that break the world.
    #[must_use]
    pub fn faults(&self) -> &FaultBoard {
        &self.faults
    }

    /// Every change that was applied.
    #[must_use]
    pub fn effects(&self) -> &EffectLog {
        &self.effects
    }

    /// An id for the next request, in the form that AWS gives them.
    #[must_use]
    pub(super) fn next_request_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012x}", self.requests.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// One call as its service sees it: where it arrived, and the moment that it is answered for.
#[derive(Clone, Debug)]
pub struct CallCx {
    pub(super) world: WorldCx,
    pub(super) region: RegionId,
    pub(super) operation: String,
    pub(super) age: Option<Duration>,
    pub(super) request_id: String,
}

impl CallCx {
    /// What the services of the world share.
    #[must_use]
    pub fn world(&self) -> &WorldCx {
        &self.world
    }

    /// The region whose endpoint was called.
    #[must_use]
    pub fn region(&self) -> &RegionId {
        &self.region
    }

    /// The full name of the operation: `rds:FailoverGlobalCluster`.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// The name within the service: `FailoverGlobalCluster`.
    #[must_use]
    pub fn action(&self) -> &str {
        self.operation.split_once(':').map_or(self.operation.as_str(), |(_, action)| action)
    }

    /// The id of the request, for the reply's metadata.
    #[must_use]
    pub fn request_id(&self) -> &str {
        &self.request_id
    }

    /// How old a world a read must answer from, when it is to be stale.
    #[must_use]
    pub fn age(&self) -> Option<Duration> {
        self.age
    }

    /// The moment that the call is answered for: now, or an earlier one for a stale read.
    #[must_use]
    pub fn now(&self) -> Monotonic {
        let now = self.world.clock.monotonic();
        Monotonic::new(now.since_origin().saturating_sub(self.age.unwrap_or_default()))
    }

    /// The wall time of [`now`](Self::now).
    #[must_use]
    pub fn wall(&self) -> Timestamp {
        let age = i64::try_from(self.age.unwrap_or_default().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.world.clock.wall().as_millis().saturating_sub(age))
    }

    /// Records that this call changed `subject`. To be called exactly when the change is made.
    pub fn applied(&self, subject: impl Into<String>) {
        self.world.effects.record(self.world.clock.wall(), &self.region, &self.operation, subject);
    }
}
