//! The scheduler and the kubelets: pods find a node with room, pull their images and become ready.

use std::collections::BTreeMap;

use dr_core::time::Monotonic;
use serde_json::{Value, json};

use super::status::set_condition;
use crate::testing::{object, state::State, store::Key};

impl State {
    /// Gives pods without a node the node with most room; a pod that finds none is `Unschedulable`.
    pub(super) fn schedule_pods(&mut self) {
        let mut waiting = Vec::new();
        let mut taken: BTreeMap<String, i64> = BTreeMap::new();
        for (key, pod) in self.store.of("pods") {
            match object::text(&pod, "/spec/nodeName") {
                "" => waiting.push((key, pod)),
                node => *taken.entry(node.to_owned()).or_default() += 1,
            }
        }
        if waiting.is_empty() {
            return;
        }
        let nodes = self.store.of("nodes");
        let mut room: BTreeMap<String, i64> = nodes
            .iter()
            .filter(|(_, node)| node.pointer("/spec/unschedulable").and_then(Value::as_bool) != Some(true))
            .map(|(key, node)| {
                let pods = object::text(node, "/status/allocatable/pods").parse::<i64>().unwrap_or(0);
                (key.name.clone(), pods - taken.get(&key.name).copied().unwrap_or(0))
            })
            .collect();
        for (key, pod) in waiting {
            let node = room.iter_mut().filter(|(_, room)| **room > 0).max_by_key(|(_, room)| **room);
            match node {
                Some((node, room)) => {
                    *room -= 1;
                    let node = node.clone();
                    self.bind(&key, &pod, &node);
                }
                None => self.refuse(&key, &pod, nodes.len()),
            }
        }
    }

    fn bind(&mut self, key: &Key, pod: &Value, node: &str) {
        let mut bound = pod.clone();
        let now = self.wall_text();
        object::set(&mut bound, &["spec", "nodeName"], json!(node));
        let mut conditions = object::items(pod, "/status/conditions").to_vec();
        set_condition(&mut conditions, "PodScheduled", "True", "", "", &now);
        set_condition(&mut conditions, "Ready", "False", "ContainersNotReady", "containers with unready status", &now);
        object::set(&mut bound, &["status", "conditions"], Value::Array(conditions));
        object::set(&mut bound, &["status", "startTime"], json!(now));
        object::set(
            &mut bound,
            &["status", "containerStatuses"],
            containers(pod, |_| waiting("ContainerCreating", "")),
        );
        self.store.put(self.time, key, bound);
        self.starting.insert(key.clone(), self.time + self.pace.pod_start);
    }

    fn refuse(&mut self, key: &Key, pod: &Value, nodes: usize) {
        let message = format!("0/{nodes} nodes are available: {nodes} Too many pods.");
        let mut conditions = object::items(pod, "/status/conditions").to_vec();
        let now = self.wall_text();
        set_condition(&mut conditions, "PodScheduled", "False", "Unschedulable", &message, &now);
        if object::items(pod, "/status/conditions") != conditions {
            let mut refused = pod.clone();
            object::set(&mut refused, &["status", "conditions"], Value::Array(conditions));
            self.store.put(self.time, key, refused);
        }
    }

    /// Finishes the start of the pods whose time has come; whether there were any.
    pub(in crate::testing) fn start_pods(&mut self, now: Monotonic) -> bool {
        let due: Vec<Key> = self.starting.iter().filter(|(_, at)| **at <= now).map(|(key, _)| key.clone()).collect();
        for key in &due {
            self.starting.remove(key);
            if let Some(pod) = self.store.get(key) {
                self.start(key, &pod);
            }
        }
        !due.is_empty()
    }

    fn start(&mut self, key: &Key, pod: &Value) {
        let now = self.wall_text();
        let mut after = pod.clone();
        let missing = |image: &str| self.missing_images.contains(image);
        let images: Vec<&str> =
            object::items(pod, "/spec/containers").iter().map(|c| object::text(c, "/image")).collect();
        if images.iter().any(|image| missing(image)) {
            let statuses = containers(pod, |image| {
                if missing(image) {
                    waiting("ImagePullBackOff", &format!("Back-off pulling image {image:?}"))
                } else {
                    waiting("ContainerCreating", "")
                }
            });
            object::set(&mut after, &["status", "containerStatuses"], statuses);
        } else {
            let statuses = containers(pod, |_| json!({ "running": { "startedAt": now } }));
            object::set(&mut after, &["status", "containerStatuses"], statuses);
            object::set(&mut after, &["status", "phase"], json!("Running"));
            let mut conditions = object::items(pod, "/status/conditions").to_vec();
            for condition in ["Initialized", "ContainersReady", "Ready"] {
                set_condition(&mut conditions, condition, "True", "", "", &now);
            }
            object::set(&mut after, &["status", "conditions"], Value::Array(conditions));
        }
        self.store.put(self.time, key, after);
    }

    /// Lets pods that wait for an image try again.
    pub(in crate::testing) fn retry_images(&mut self) {
        let due = self.time + self.pace.pod_start;
        for (key, pod) in self.store.of("pods") {
            let waits = object::items(&pod, "/status/containerStatuses")
                .iter()
                .any(|s| object::text(s, "/state/waiting/reason") == "ImagePullBackOff");
            if waits {
                self.starting.insert(key, due);
            }
        }
    }
}

fn waiting(reason: &str, message: &str) -> Value {
    let mut state = json!({ "waiting": { "reason": reason } });
    if !message.is_empty() {
        object::set(&mut state, &["waiting", "message"], json!(message));
    }
    state
}

fn containers(pod: &Value, state: impl Fn(&str) -> Value) -> Value {
    let statuses = object::items(pod, "/spec/containers").iter().map(|container| {
        let image = object::text(container, "/image");
        let state = state(image);
        json!({
            "name": object::text(container, "/name"), "image": image, "imageID": "", "restartCount": 0,
            "ready": state.get("running").is_some(), "started": state.get("running").is_some(), "state": state,
        })
    });
    Value::Array(statuses.collect())
}
