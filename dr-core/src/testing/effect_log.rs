use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::{model::RegionId, time::Timestamp};

/// One change that a double made because somebody asked it to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EffectRecord {
    /// When, on the world's wall.
    pub at: Timestamp,
    /// The region whose endpoint was called.
    pub region: RegionId,
    /// `rds:FailoverGlobalCluster`.
    pub operation: String,
    /// What was changed: an ARN, `production/deployments/cart`, `bucket/key`.
    pub subject: String,
}

/// Every change that a world's doubles made, so that a test can count that nothing was done twice. Clones share one log.
#[derive(Clone, Debug, Default)]
pub struct EffectLog {
    records: Arc<Mutex<Vec<EffectRecord>>>,
}

impl EffectLog {
    /// An empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, Vec<EffectRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds one change.
    pub fn record(&self, at: Timestamp, region: &RegionId, operation: &str, subject: impl Into<String>) {
        let record =
            EffectRecord { at, region: region.clone(), operation: operation.to_owned(), subject: subject.into() };
        self.records().push(record);
    }

    /// All changes so far, oldest first.
    #[must_use]
    pub fn all(&self) -> Vec<EffectRecord> {
        self.records().clone()
    }

    /// How many changes an operation made to a subject.
    #[must_use]
    pub fn count(&self, operation: &str, subject: &str) -> usize {
        self.records().iter().filter(|r| r.operation == operation && r.subject == subject).count()
    }
}
