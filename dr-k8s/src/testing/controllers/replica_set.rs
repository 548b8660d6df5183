//! The replica set controller: as many pods as the set asks for.

use serde_json::{Value, json};

use super::deployment::{owned_by, owner_reference};
use crate::testing::{api::new_metadata, object, state::State, store::Key};

impl State {
    pub(super) fn reconcile_replica_sets(&mut self) {
        for (key, set) in self.store.of("replicasets.apps") {
            if object::text(&set, "/metadata/deletionTimestamp").is_empty() {
                self.reconcile_replica_set(&key, &set);
            }
        }
    }

    fn reconcile_replica_set(&mut self, key: &Key, set: &Value) {
        let mut pods = owned_by(self, "pods", set);
        let wanted = usize::try_from(object::number(set, "/spec/replicas", 1)).unwrap_or(0);
        for _ in pods.len()..wanted {
            self.create_pod(key, set);
        }
        if pods.len() > wanted {
            // Pods that are not ready go first, then the youngest.
            pods.sort_by_key(|pod| (is_ready(&pod.object), object::text(&pod.object, "/metadata/uid").to_owned()));
            let (waiting, ready): (Vec<_>, Vec<_>) = pods.iter().partition(|pod| !is_ready(&pod.object));
            let excess = pods.len() - wanted;
            for pod in waiting.into_iter().rev().chain(ready.into_iter().rev()).take(excess) {
                self.remove_with_dependents(&pod.key, true);
            }
        }
        let pods = owned_by(self, "pods", set);
        let ready = pods.iter().filter(|pod| is_ready(&pod.object)).count();
        let mut status = json!({
            "replicas": pods.len(), "observedGeneration": object::number(set, "/metadata/generation", 1),
        });
        for (field, count) in
            [("fullyLabeledReplicas", pods.len()), ("readyReplicas", ready), ("availableReplicas", ready)]
        {
            if count > 0 {
                object::set(&mut status, &[field], json!(count));
            }
        }
        if set.get("status") != Some(&status) {
            let mut after = set.clone();
            object::set(&mut after, &["status"], status);
            self.store.put(self.time, key, after);
        }
    }

    fn create_pod(&mut self, key: &Key, set: &Value) {
        let name = format!("{}-{}", key.name, self.next_suffix());
        let template = |field: &str| set.pointer(&format!("/spec/template/{field}")).cloned().unwrap_or(json!({}));
        let mut pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": template("metadata"), "spec": template("spec"),
            "status": { "phase": "Pending" },
        });
        object::set(&mut pod, &["metadata", "name"], json!(name));
        object::set(&mut pod, &["metadata", "namespace"], json!(key.namespace));
        let owners = json!([owner_reference("apps/v1", "ReplicaSet", set)]);
        object::set(&mut pod, &["metadata", "ownerReferences"], owners);
        if let Some(resource) = self.catalog.by_qualified("pods").cloned() {
            new_metadata(self, &resource, &mut pod);
        }
        self.store.put(self.time, &Key::new("pods", &key.namespace, &name), pod);
    }
}

/// Whether a pod's `Ready` condition holds.
pub(super) fn is_ready(pod: &Value) -> bool {
    object::items(pod, "/status/conditions")
        .iter()
        .any(|c| object::text(c, "/type") == "Ready" && object::text(c, "/status") == "True")
}
