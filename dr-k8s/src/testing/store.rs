//! The objects of a cluster, every change to them in order, and what they were at an earlier moment.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

use dr_core::time::Monotonic;
use serde_json::{Value, json};

use super::object;

/// The place of an object: kind, namespace (empty for cluster-wide kinds), name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// The qualified plural: `deployments.apps`.
    pub(super) resource: String,
    pub(super) namespace: String,
    pub(super) name: String,
}

impl Key {
    pub(super) fn new(resource: impl Into<String>, namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { resource: resource.into(), namespace: namespace.into(), name: name.into() }
    }
}

/// One change: what the object was before and after it.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) version: u64,
    pub(super) at: Monotonic,
    pub(super) key: Key,
    /// Absent when the change created the object.
    pub(super) before: Option<Arc<Value>>,
    /// Absent when the change deleted the object.
    pub(super) after: Option<Arc<Value>>,
    /// The object as it is told to watchers: for a deletion, its last state with the deletion's version.
    pub(super) told: Arc<Value>,
}

/// The objects at one moment.
pub(super) type View = BTreeMap<Key, Arc<Value>>;

/// The version asked for is no longer kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Expired {
    pub(super) oldest: u64,
}

/// The store: a map, and a log of its changes of which the older part is forgotten (etcd's compaction).
#[derive(Debug)]
pub(super) struct Store {
    objects: View,
    /// The objects as they were before the first change that is still in the log.
    base: View,
    base_version: u64,
    log: VecDeque<Change>,
    version: u64,
    keep: usize,
}

impl Store {
    pub(super) fn new(keep: usize) -> Self {
        Self { objects: View::new(), base: View::new(), base_version: 1, log: VecDeque::new(), version: 1, keep }
    }

    /// The version of the latest change.
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, key: &Key) -> Option<Arc<Value>> {
        self.objects.get(key).cloned()
    }

    pub(super) fn now(&self) -> &View {
        &self.objects
    }

    /// The objects of a kind, in one namespace or all, ordered by namespace and name.
    pub(super) fn of(&self, resource: &str) -> Vec<(Key, Arc<Value>)> {
        select(&self.objects, resource, None)
    }

    /// Whether there is any object of a kind.
    pub(super) fn has(&self, resource: &str) -> bool {
        let first = self.objects.range(Key::new(resource, "", "")..).next();
        first.is_some_and(|(key, _)| key.resource == resource)
    }

    /// Writes an object, giving it the next version.
    pub(super) fn put(&mut self, at: Monotonic, key: &Key, mut object: Value) -> Arc<Value> {
        self.version += 1;
        object::set(&mut object, &["metadata", "resourceVersion"], json!(self.version.to_string()));
        let object = Arc::new(object);
        let before = self.objects.insert(key.clone(), Arc::clone(&object));
        let told = Arc::clone(&object);
        self.record(Change {
            version: self.version,
            at,
            key: key.clone(),
            before,
            after: Some(Arc::clone(&object)),
            told,
        });
        object
    }

    /// Removes an object; its last state, carrying the version of the removal.
    pub(super) fn remove(&mut self, at: Monotonic, key: &Key) -> Option<Arc<Value>> {
        let before = self.objects.remove(key)?;
        self.version += 1;
        let mut last = Value::clone(&before);
        object::set(&mut last, &["metadata", "resourceVersion"], json!(self.version.to_string()));
        let told = Arc::new(last);
        self.record(Change {
            version: self.version,
            at,
            key: key.clone(),
            before: Some(before),
            after: None,
            told: Arc::clone(&told),
        });
        Some(told)
    }

    fn record(&mut self, change: Change) {
        self.log.push_back(change);
        while self.log.len() > self.keep {
            self.forget_oldest();
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(change) = self.log.pop_front() {
            self.base_version = change.version;
            apply(&mut self.base, &change);
        }
    }

    /// Forgets every change so far, as etcd's compaction does: older versions are answered with 410 from now on.
    pub(super) fn compact(&mut self) {
        while !self.log.is_empty() {
            self.forget_oldest();
        }
    }

    /// The changes after `version`, oldest first.
    pub(super) fn since(&self, version: u64) -> Result<Vec<Change>, Expired> {
        if version < self.base_version {
            return Err(Expired { oldest: self.base_version });
        }
        Ok(self.log.iter().filter(|change| change.version > version).cloned().collect())
    }

    /// The objects as they were when `version` was the latest.
    pub(super) fn at_version(&self, version: u64) -> Result<View, Expired> {
        if version == self.version {
            return Ok(self.objects.clone());
        }
        if version < self.base_version {
            return Err(Expired { oldest: self.base_version });
        }
        Ok(self.replay(|change| change.version <= version))
    }

    /// The objects as they were at a moment, or as long ago as is still known.
    pub(super) fn at_moment(&self, moment: Monotonic) -> View {
        self.replay(|change| change.at <= moment)
    }

    fn replay(&self, until: impl Fn(&Change) -> bool) -> View {
        let mut view = self.base.clone();
        for change in self.log.iter().take_while(|change| until(change)) {
            apply(&mut view, change);
        }
        view
    }
}

fn apply(view: &mut View, change: &Change) {
    match &change.after {
        Some(object) => view.insert(change.key.clone(), Arc::clone(object)),
        None => view.remove(&change.key),
    };
}

/// The objects of a kind in a view, ordered by namespace and name.
pub(super) fn select(view: &View, resource: &str, namespace: Option<&str>) -> Vec<(Key, Arc<Value>)> {
    let from = Key::new(resource, namespace.unwrap_or_default(), "");
    view.range(from..)
        .take_while(|(key, _)| key.resource == resource && namespace.is_none_or(|ns| key.namespace == ns))
        .map(|(key, object)| (key.clone(), Arc::clone(object)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn second(n: u64) -> Monotonic {
        Monotonic::new(Duration::from_secs(n))
    }

    #[test]
    fn keeps_what_was_true_earlier() {
        let mut store = Store::new(100);
        let key = Key::new("configmaps", "default", "a");
        store.put(second(1), &key, json!({ "data": { "v": "1" } }));
        let first = store.version();
        store.put(second(5), &key, json!({ "data": { "v": "2" } }));
        store.remove(second(9), &key);

        let value = |view: View| view.get(&key).map(|o| object::text(o, "/data/v").to_owned());
        assert_eq!(value(store.at_moment(second(0))), None);
        assert_eq!(value(store.at_moment(second(4))), Some("1".into()));
        assert_eq!(value(store.at_moment(second(8))), Some("2".into()));
        assert_eq!(value(store.at_moment(second(9))), None);
        assert_eq!(value(store.at_version(first).unwrap()), Some("1".into()));
        assert_eq!(store.since(first).unwrap().len(), 2);
    }

    #[test]
    fn a_forgotten_version_has_expired() {
        let mut store = Store::new(2);
        for n in 0..5 {
            store.put(second(n), &Key::new("configmaps", "default", format!("c{n}")), json!({}));
        }
        assert!(store.since(2).is_err());
        assert!(store.at_version(2).is_err());
        assert_eq!(store.since(store.version() - 1).unwrap().len(), 1);
        assert_eq!(store.at_moment(second(4)).len(), 5);
        store.compact();
        assert!(store.since(store.version() - 1).is_err());
        assert!(store.since(store.version()).is_ok());
    }
}
