use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use dr_core::{model::RegionId, time::Timestamp};

use super::{Alarm, AlarmValue, Datum, MetricId, store::Store};
use crate::testing::WorldCx;

type Source = Arc<dyn Fn(&RegionId) -> Vec<Datum> + Send + Sync>;

/// The metrics of all regions. Clones share them.
#[derive(Clone)]
pub struct CloudWatch {
    inner: Arc<Inner>,
}

struct Inner {
    world: WorldCx,
    stores: Mutex<BTreeMap<RegionId, Regional>>,
    sources: Mutex<Vec<Source>>,
}

#[derive(Default)]
struct Regional {
    store: Store,
    alarms: BTreeMap<String, Alarm>,
    /// The minute whose values the sources have given.
    sampled: Option<i64>,
}

/// How often AWS's services publish their metrics.
const PUBLISHED_EVERY: Duration = Duration::from_secs(60);

impl CloudWatch {
    pub(in crate::testing) fn new(world: WorldCx) -> Self {
        Self { inner: Arc::new(Inner { world, stores: Mutex::default(), sources: Mutex::default() }) }
    }

    fn stores(&self) -> MutexGuard<'_, BTreeMap<RegionId, Regional>> {
        self.inner.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a value to a metric of a region.
    pub fn put_metric(&self, region: &RegionId, metric: MetricId, at: Timestamp, value: f64) {
        self.stores().entry(region.clone()).or_default().store.put(metric, at, value);
    }

    /// Puts an alarm of a region into a state, and makes it when it is new.
    pub fn set_alarm(&self, region: &RegionId, name: &str, composite: bool, state: AlarmValue) {
        let updated = self.inner.world.clock().wall();
        let alarm = Alarm { name: name.to_owned(), state, composite, updated };
        self.stores().entry(region.clone()).or_default().alarms.insert(name.to_owned(), alarm);
    }

    /// The alarms of a region, in order of name.
    pub(super) fn alarms(&self, region: &RegionId) -> Vec<Alarm> {
        self.stores().get(region).map(|regional| regional.alarms.values().cloned().collect()).unwrap_or_default()
    }

    /// Registers a source of metrics: asked for a region's values of the present minute, once in each minute in which
    /// somebody reads that region's metrics.
    pub fn add_source(&self, source: impl Fn(&RegionId) -> Vec<Datum> + Send + Sync + 'static) {
        self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner).push(Arc::new(source));
    }

    /// Reads the metrics of a region, after its sources were asked.
    pub(super) fn read<R>(&self, region: &RegionId, read: impl FnOnce(&Store) -> R) -> R {
        self.sample(region);
        read(&self.stores().entry(region.clone()).or_default().store)
    }

    fn sample(&self, region: &RegionId) {
        let now = self.inner.world.clock().wall();
        let every = i64::try_from(PUBLISHED_EVERY.as_millis()).unwrap_or(i64::MAX);
        let minute = now.as_millis().div_euclid(every);
        {
            let mut stores = self.stores();
            let regional = stores.entry(region.clone()).or_default();
            if regional.sampled == Some(minute) {
                return;
            }
            regional.sampled = Some(minute);
        }
        // A source is another service's code: no lock is held while it runs.
        let sources = self.inner.sources.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for Datum { metric, value } in sources.iter().flat_map(|source| source(region)) {
            self.put_metric(region, metric, Timestamp::from_millis(minute * every), value);
        }
    }
}

impl fmt::Debug for CloudWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudWatch").finish_non_exhaustive()
    }
}
