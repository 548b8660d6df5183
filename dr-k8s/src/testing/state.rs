//! Everything that one cluster knows, and the passing of time in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use dr_core::{
    model::RegionId,
    testing::EffectLog,
    time::{Monotonic, SharedClock, Timestamp},
};
use serde_json::{Value, json};

use super::{
    api::{ApiError, Call, Reply},
    catalog::Catalog,
    object,
    store::{Key, Store},
};

/// How quick the cluster's own controllers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Pace {
    /// From a change to the controllers' reaction.
    pub(super) controllers: Duration,
    /// From a pod's scheduling to its readiness.
    pub(super) pod_start: Duration,
    /// Between two looks of the horizontal pod autoscaler.
    pub(super) autoscaler: Duration,
}

/// The cluster. Its controllers act when somebody looks: [`settle`](State::settle) carries out, in order and each at its
/// own moment, all that should have happened since the last look.
#[derive(Debug)]
pub(super) struct State {
    pub(super) region: RegionId,
    pub(super) catalog: Catalog,
    pub(super) store: Store,
    pub(super) pace: Pace,
    clock: SharedClock,
    effects: EffectLog,
    /// The moment that the cluster has been settled up to, or acts at.
    pub(super) time: Monotonic,
    /// When the controllers next react to changes.
    pub(super) react_at: Option<Monotonic>,
    pub(super) autoscale_at: Monotonic,
    /// Pods whose containers are starting, and when they will be ready.
    pub(super) starting: BTreeMap<Key, Monotonic>,
    /// Calls whose connection broke and that are carried out later.
    late: Vec<(Monotonic, Call)>,
    /// Images that cannot be pulled.
    pub(super) missing_images: BTreeSet<String>,
    /// What the metrics of a workload call for, by namespace and deployment.
    pub(super) load: BTreeMap<(String, String), i64>,
    /// What the metrics called for lately, which an autoscaler's stabilisation window remembers.
    pub(super) recommendations: BTreeMap<Key, Vec<(Monotonic, i64)>>,
    counter: u64,
}

impl State {
    pub(super) fn new(
        region: RegionId,
        catalog: Catalog,
        pace: Pace,
        history: usize,
        clock: SharedClock,
        effects: EffectLog,
    ) -> Self {
        let time = clock.monotonic();
        Self {
            region,
            catalog,
            store: Store::new(history),
            pace,
            clock,
            effects,
            time,
            react_at: None,
            autoscale_at: time + pace.autoscaler,
            starting: BTreeMap::new(),
            late: Vec::new(),
            missing_images: BTreeSet::new(),
            load: BTreeMap::new(),
            recommendations: BTreeMap::new(),
            counter: 0,
        }
    }

    /// Lets time pass up to now; the next moment at which something is due.
    pub(super) fn settle(&mut self) -> Option<Monotonic> {
        let now = self.clock.monotonic();
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            self.time = self.time.max(due);
            self.act(due);
        }
        self.time = self.time.max(now);
        self.next_due()
    }

    fn next_due(&self) -> Option<Monotonic> {
        let autoscaler = self.has_autoscalers().then_some(self.autoscale_at);
        let starting = self.starting.values().min().copied();
        let late = self.late.iter().map(|(due, _)| *due).min();
        [autoscaler, starting, late, self.react_at].into_iter().flatten().min()
    }

    fn act(&mut self, due: Monotonic) {
        let mut late = Vec::new();
        self.late.retain(|(at, call)| {
            let is_due = *at <= due;
            if is_due {
                late.push(call.clone());
            }
            !is_due
        });
        for call in late {
            // Its caller is long gone: nobody is left to hear of a refusal.
            drop(self.write(&call));
        }
        if self.has_autoscalers() && self.autoscale_at <= due {
            self.autoscale();
            self.autoscale_at = due + self.pace.autoscaler;
        }
        let started = self.start_pods(due);
        if started || self.react_at.is_some_and(|at| at <= due) {
            if self.react_at.is_some_and(|at| at <= due) {
                self.react_at = None;
            }
            self.reconcile();
        }
    }

    /// Carries out a call: a read of now or of the past, or a write.
    pub(super) fn handle(&mut self, call: &Call, stale: Option<Duration>) -> Result<Reply, ApiError> {
        self.settle();
        if call.verb.reads() {
            let moment = stale.map(|age| Monotonic::new(self.time.since_origin().saturating_sub(age)));
            self.read(call, moment)
        } else {
            self.write(call)
        }
    }

    /// Keeps a call that is carried out after `delay`, though its caller has been cut off.
    pub(super) fn handle_later(&mut self, call: Call, delay: Duration) {
        self.settle();
        let due = self.time + delay;
        self.late.push((due, call));
    }

    /// Writes on behalf of a client (or of the test's own set-up): the controllers will notice.
    pub(super) fn put_by_client(&mut self, key: &Key, object: Value) -> Arc<Value> {
        let stored = self.store.put(self.time, key, object);
        self.notice();
        stored
    }

    /// Wakes the controllers, after the time that they take to notice a change.
    pub(super) fn notice(&mut self) {
        let due = self.time + self.pace.controllers;
        self.react_at = Some(self.react_at.map_or(due, |at| at.min(due)));
    }

    /// Removes an object and, unless told otherwise, what it owns and, for a namespace, what is in it.
    pub(super) fn remove_with_dependents(&mut self, key: &Key, cascade: bool) {
        let Some(gone) = self.store.remove(self.time, key) else { return };
        self.starting.remove(key);
        let uid = object::text(&gone, "/metadata/uid").to_owned();
        let owned = |object: &Value| {
            object::items(object, "/metadata/ownerReferences").iter().any(|owner| object::text(owner, "/uid") == uid)
        };
        let namespace = (key.resource == "namespaces").then(|| key.name.clone());
        let dependents: Vec<(Key, bool)> = self
            .store
            .now()
            .iter()
            .map(|(k, object)| (k.clone(), owned(object), namespace.as_ref().is_some_and(|ns| *ns == k.namespace)))
            .filter(|(_, owned, inside)| *owned || *inside)
            .map(|(k, owned, inside)| (k, cascade && owned || inside))
            .collect();
        for (dependent, remove) in dependents {
            if remove {
                self.remove_with_dependents(&dependent, cascade);
            } else if let Some(orphan) = self.store.get(&dependent) {
                let mut orphan = Value::clone(&orphan);
                let owners = object::items(&orphan, "/metadata/ownerReferences").to_vec();
                let left: Vec<Value> = owners.into_iter().filter(|o| object::text(o, "/uid") != uid).collect();
                object::set(&mut orphan, &["metadata", "ownerReferences"], json!(left));
                self.store.put(self.time, &dependent, orphan);
            }
        }
        self.notice();
    }

    pub(super) fn record_effect(&self, operation: &str, subject: &str) {
        self.effects.record(self.wall(), &self.region, operation, subject);
    }

    /// Wall time at the moment that the cluster acts at.
    pub(super) fn wall(&self) -> Timestamp {
        let behind = self.clock.monotonic().since(self.time);
        let behind = i64::try_from(behind.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(self.clock.wall().as_millis().saturating_sub(behind))
    }

    /// [`wall`](Self::wall) as Kubernetes writes it: RFC 3339 with whole seconds.
    pub(super) fn wall_text(&self) -> String {
        let text = self.wall().to_string();
        match text.split_once('.') {
            Some((seconds, _)) => format!("{seconds}Z"),
            None => text,
        }
    }

    pub(super) fn next_uid(&mut self) -> String {
        self.counter += 1;
        let region =
            self.region.as_str().bytes().fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
        format!("{region:08x}-0000-4000-8000-{:012x}", self.counter)
    }

    /// Five letters that no earlier object of this cluster was given.
    pub(super) fn next_suffix(&mut self) -> String {
        const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
        self.counter += 1;
        let base = LETTERS.len() as u64;
        // A step that is coprime to the base scatters the names as a real cluster's are.
        let mut n = self.counter.wrapping_mul(4_937_131) % base.pow(5);
        let mut suffix = String::with_capacity(5);
        for _ in 0..5 {
            let letter = usize::try_from(n % base).ok().and_then(|i| LETTERS.get(i)).copied().unwrap_or(b'x');
            suffix.push(char::from(letter));
            n /= base;
        }
        suffix
    }
}
