//! The deployment controller: a replica set per version of the template, and the status that readiness is judged by.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use serde_json::{Value, json};

use super::{rollout, status::set_condition};
use crate::testing::{api::new_metadata, object, state::State, store::Key};

pub(super) const HASH_LABEL: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";

/// A replica set as the deployment controller sees it.
#[derive(Clone, Debug)]
pub(super) struct Owned {
    pub(super) key: Key,
    pub(super) object: Arc<Value>,
}

impl Owned {
    pub(super) fn wanted(&self) -> i64 {
        object::number(&self.object, "/spec/replicas", 0)
    }

    pub(super) fn status(&self, field: &str) -> i64 {
        object::number(&self.object, &format!("/status/{field}"), 0)
    }
}

/// The objects of a kind that an object owns.
pub(super) fn owned_by(state: &State, resource: &str, owner: &Value) -> Vec<Owned> {
    let uid = object::text(owner, "/metadata/uid");
    let owned = |candidate: &Value| {
        object::items(candidate, "/metadata/ownerReferences").iter().any(|o| object::text(o, "/uid") == uid)
    };
    let all = state.store.of(resource);
    all.into_iter().filter(|(_, o)| owned(o)).map(|(key, object)| Owned { key, object }).collect()
}

/// A reference that makes `owner` the controller of an object.
pub(super) fn owner_reference(api_version: &str, kind: &str, owner: &Value) -> Value {
    json!({
        "apiVersion": api_version, "kind": kind, "name": object::text(owner, "/metadata/name"),
        "uid": object::text(owner, "/metadata/uid"), "controller": true, "blockOwnerDeletion": true,
    })
}

impl State {
    pub(super) fn reconcile_deployments(&mut self) {
        for (key, deployment) in self.store.of("deployments.apps") {
            if object::text(&deployment, "/metadata/deletionTimestamp").is_empty() {
                self.reconcile_deployment(&key, &deployment);
            }
        }
    }

    fn reconcile_deployment(&mut self, key: &Key, deployment: &Value) {
        let template = deployment.pointer("/spec/template").cloned().unwrap_or(Value::Null);
        let hash = template_hash(&template);
        let is_current = |set: &Owned| object::text(&set.object, &format!("/metadata/labels/{HASH_LABEL}")) == hash;
        let sets = owned_by(self, "replicasets.apps", deployment);
        let paused = deployment.pointer("/spec/paused").and_then(Value::as_bool) == Some(true);
        if !sets.iter().any(is_current) && !paused {
            self.create_replica_set(key, deployment, template, &hash, &sets);
            return;
        }
        let (current, old): (Vec<Owned>, Vec<Owned>) = sets.into_iter().partition(is_current);
        for (set, replicas) in rollout::next(deployment, current.first(), &old, paused) {
            if set.wanted() != replicas {
                self.scale_replica_set(&set, replicas);
            }
        }
        self.write_deployment_status(key, deployment, &hash);
    }

    fn create_replica_set(&mut self, key: &Key, deployment: &Value, template: Value, hash: &str, others: &[Owned]) {
        let name = format!("{}-{hash}", key.name);
        let revision = 1 + others
            .iter()
            .filter_map(|set| set.object.pointer("/metadata/annotations")?.get(REVISION)?.as_str()?.parse::<i64>().ok())
            .max()
            .unwrap_or(0);
        let mut template = template;
        object::set(&mut template, &["metadata", "labels", HASH_LABEL], json!(hash));
        let mut selector = deployment.pointer("/spec/selector").cloned().unwrap_or(Value::Null);
        object::set(&mut selector, &["matchLabels", HASH_LABEL], json!(hash));
        let labels = template.pointer("/metadata/labels").cloned().unwrap_or(Value::Null);
        let mut set = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": {
                "name": name, "namespace": key.namespace, "labels": labels,
                "annotations": { REVISION: revision.to_string() },
                "ownerReferences": [owner_reference("apps/v1", "Deployment", deployment)],
            },
            "spec": { "replicas": 0, "selector": selector, "template": template },
        });
        if let Some(resource) = self.catalog.by_qualified("replicasets.apps").cloned() {
            new_metadata(self, &resource, &mut set);
        }
        self.store.put(self.time, &Key::new("replicasets.apps", &key.namespace, &name), set);
        let mut annotated = deployment.clone();
        object::set(&mut annotated, &["metadata", "annotations", REVISION], json!(revision.to_string()));
        self.store.put(self.time, key, annotated);
    }

    fn scale_replica_set(&mut self, set: &Owned, replicas: i64) {
        let mut scaled = Value::clone(&set.object);
        let generation = object::number(&scaled, "/metadata/generation", 1);
        object::set(&mut scaled, &["spec", "replicas"], json!(replicas));
        object::set(&mut scaled, &["metadata", "generation"], json!(generation + 1));
        self.store.put(self.time, &set.key, scaled);
    }

    fn write_deployment_status(&mut self, key: &Key, deployment: &Value, hash: &str) {
        let sets = owned_by(self, "replicasets.apps", deployment);
        let sum = |field: &str| sets.iter().map(|set| set.status(field)).sum::<i64>();
        let current =
            sets.iter().find(|set| object::text(&set.object, &format!("/metadata/labels/{HASH_LABEL}")) == hash);
        let wanted = object::number(deployment, "/spec/replicas", 1);
        let (replicas, ready, available) = (sum("replicas"), sum("readyReplicas"), sum("availableReplicas"));
        let updated = current.map_or(0, |set| set.status("replicas"));
        let mut status = json!({ "observedGeneration": object::number(deployment, "/metadata/generation", 1) });
        // A count of zero is left out, as the real server leaves it out.
        for (field, count) in [
            ("replicas", replicas),
            ("updatedReplicas", updated),
            ("readyReplicas", ready),
            ("availableReplicas", available),
            ("unavailableReplicas", (wanted.max(replicas) - available).max(0)),
        ] {
            if count > 0 {
                object::set(&mut status, &[field], json!(count));
            }
        }
        let old = object::items(deployment, "/status/conditions");
        let mut conditions = old.to_vec();
        let (_, max_unavailable) = rollout::bounds(deployment);
        let now = self.wall_text();
        let (value, reason, message) = if available >= wanted - max_unavailable {
            ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        } else {
            ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
        };
        set_condition(&mut conditions, "Available", value, reason, message, &now);
        let complete = updated == wanted && replicas == wanted && available == wanted;
        let set_name = current.map_or("", |set| set.key.name.as_str());
        let finished = format!("ReplicaSet {set_name:?} has successfully progressed.");
        // A rollout that once completed stays complete while it is only scaled, so no progress deadline runs.
        let completed_before = old
            .iter()
            .any(|c| object::text(c, "/reason") == "NewReplicaSetAvailable" && object::text(c, "/message") == finished);
        if complete || completed_before {
            set_condition(&mut conditions, "Progressing", "True", "NewReplicaSetAvailable", &finished, &now);
        } else {
            let message = format!("ReplicaSet {set_name:?} is progressing.");
            set_condition(&mut conditions, "Progressing", "True", "ReplicaSetUpdated", &message, &now);
        }
        object::set(&mut status, &["conditions"], Value::Array(conditions));
        if deployment.get("status") != Some(&status) {
            let mut after = deployment.clone();
            object::set(&mut after, &["status"], status);
            self.store.put(self.time, key, after);
        }
    }
}

/// A short name for a version of a template. The hasher's keys are fixed, so a template's name is the same in every run.
fn template_hash(template: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    template.to_string().hash(&mut hasher);
    format!("{:08x}", hasher.finish() >> 32)
}
