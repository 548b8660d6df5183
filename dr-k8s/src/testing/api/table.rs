//! Tables: what `kubectl get` prints, which the server lays out.

use std::{sync::Arc, time::Duration};

use dr_core::time::Timestamp;
use serde_json::{Value, json};

use crate::testing::{catalog::ResourceType, object};

/// The columns that a client wants, and how much of each object beside them.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    resource: Arc<ResourceType>,
    include: Include,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Include {
    Nothing,
    Metadata,
    Object,
}

/// Name and priority: kubectl prints priority 0, and the rest with `-o wide`.
type Column = (&'static str, i32);

impl Columns {
    /// What `Accept` and `includeObject` ask for; nothing when the client wants objects.
    pub(crate) fn wanted(resource: &Arc<ResourceType>, accept: &str, include: &str) -> Option<Self> {
        let first = accept.split(',').next().unwrap_or_default();
        if !first.contains("as=Table") || !first.starts_with("application/json") {
            return None;
        }
        let include = match include {
            "None" => Include::Nothing,
            "Object" => Include::Object,
            _ => Include::Metadata,
        };
        Some(Self { resource: Arc::clone(resource), include })
    }

    /// The table of some objects; `metadata` is that of the list they come from.
    pub(crate) fn table(&self, objects: &[Arc<Value>], now: Timestamp, metadata: Option<Value>) -> Value {
        let plural = if self.resource.built_in { self.resource.plural } else { "" };
        let definitions: Vec<Value> = columns(plural)
            .iter()
            .map(|(name, priority)| {
                json!({ "name": name, "type": "string", "format": if *name == "Name" { "name" } else { "" },
                    "description": "", "priority": priority })
            })
            .collect();
        let rows: Vec<Value> = objects
            .iter()
            .map(|object| {
                let mut row = json!({ "cells": cells(plural, object, now) });
                match self.include {
                    Include::Nothing => {}
                    Include::Metadata => {
                        let metadata = object.get("metadata").cloned().unwrap_or(Value::Null);
                        let partial = json!({
                            "kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
                        });
                        object::set(&mut row, &["object"], partial);
                    }
                    Include::Object => object::set(&mut row, &["object"], Value::clone(object)),
                }
                row
            })
            .collect();
        let version = objects.first().map_or("", |o| object::text(o, "/metadata/resourceVersion"));
        let metadata = metadata.unwrap_or_else(|| json!({ "resourceVersion": version }));
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": definitions,
            "rows": rows,
        })
    }
}

fn columns(plural: &str) -> &'static [Column] {
    match plural {
        "deployments" => &[
            ("Name", 0),
            ("Ready", 0),
            ("Up-to-date", 0),
            ("Available", 0),
            ("Age", 0),
            ("Containers", 1),
            ("Images", 1),
            ("Selector", 1),
        ],
        "replicasets" => &[("Name", 0), ("Desired", 0), ("Current", 0), ("Ready", 0), ("Age", 0)],
        "pods" => &[("Name", 0), ("Ready", 0), ("Status", 0), ("Restarts", 0), ("Age", 0), ("IP", 1), ("Node", 1)],
        "horizontalpodautoscalers" => &[
            ("Name", 0),
            ("Reference", 0),
            ("Targets", 0),
            ("MinPods", 0),
            ("MaxPods", 0),
            ("Replicas", 0),
            ("Age", 0),
        ],
        "nodes" => &[("Name", 0), ("Status", 0), ("Roles", 0), ("Age", 0), ("Version", 0)],
        "namespaces" => &[("Name", 0), ("Status", 0), ("Age", 0)],
        "leases" => &[("Name", 0), ("Holder", 0), ("Age", 0)],
        "configmaps" => &[("Name", 0), ("Data", 0), ("Age", 0)],
        _ => &[("Name", 0), ("Age", 0)],
    }
}

fn cells(plural: &str, object: &Value, now: Timestamp) -> Vec<String> {
    let text = |pointer: &str| object::text(object, pointer).to_owned();
    let number = |pointer: &str| object::number(object, pointer, 0).to_string();
    let name = text("/metadata/name");
    let age = age(&text("/metadata/creationTimestamp"), now);
    let joined = |field: &str| {
        let containers = object::items(object, "/spec/template/spec/containers").iter().map(|c| object::text(c, field));
        containers.collect::<Vec<_>>().join(",")
    };
    match plural {
        "deployments" => vec![
            name,
            format!("{}/{}", number("/status/readyReplicas"), number("/spec/replicas")),
            number("/status/updatedReplicas"),
            number("/status/availableReplicas"),
            age,
            joined("/name"),
            joined("/image"),
            object::text_map(object, "/spec/selector/matchLabels")
                .iter()
                .map(|(k, v)| format!("{k}={v}"))
                .collect::<Vec<_>>()
                .join(","),
        ],
        "replicasets" => {
            vec![name, number("/spec/replicas"), number("/status/replicas"), number("/status/readyReplicas"), age]
        }
        "pods" => {
            let statuses = object::items(object, "/status/containerStatuses");
            let ready = statuses.iter().filter(|s| s.get("ready").and_then(Value::as_bool) == Some(true)).count();
            let all = object::items(object, "/spec/containers").len();
            let waiting = statuses.iter().map(|s| object::text(s, "/state/waiting/reason")).find(|r| !r.is_empty());
            let status = waiting.unwrap_or(object::text(object, "/status/phase")).to_owned();
            vec![name, format!("{ready}/{all}"), status, "0".into(), age, text("/status/podIP"), text("/spec/nodeName")]
        }
        "horizontalpodautoscalers" => vec![
            name,
            format!("{}/{}", text("/spec/scaleTargetRef/kind"), text("/spec/scaleTargetRef/name")),
            "<none>".into(),
            number("/spec/minReplicas"),
            number("/spec/maxReplicas"),
            number("/status/currentReplicas"),
            age,
        ],
        "nodes" => {
            let mut status = "Ready".to_owned();
            if object.pointer("/spec/unschedulable").and_then(Value::as_bool) == Some(true) {
                status.push_str(",SchedulingDisabled");
            }
            vec![name, status, "<none>".into(), age, text("/status/nodeInfo/kubeletVersion")]
        }
        "namespaces" => vec![name, text("/status/phase"), age],
        "leases" => vec![name, text("/spec/holderIdentity"), age],
        "configmaps" => {
            let data = object.get("data").and_then(Value::as_object).map_or(0, serde_json::Map::len);
            vec![name, data.to_string(), age]
        }
        _ => vec![name, age],
    }
}

/// An age as kubectl words it (`k8s.io/apimachinery/pkg/util/duration`), a little coarser.
fn age(created: &str, now: Timestamp) -> String {
    let Ok(created) = serde_json::from_value::<Timestamp>(json!(created)) else { return "<unknown>".into() };
    human(now.since(created))
}

fn human(age: Duration) -> String {
    let seconds = age.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0..120 => format!("{seconds}s"),
        120..600 if !seconds.is_multiple_of(60) => format!("{minutes}m{}s", seconds % 60),
        120..10_800 => format!("{minutes}m"),
        10_800..172_800 => format!("{hours}h"),
        _ => format!("{days}d"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_ages_as_kubectl_does() {
        let words = |s: u64| human(Duration::from_secs(s));
        assert_eq!([words(5), words(119), words(125), words(120), words(601)], ["5s", "119s", "2m5s", "2m", "10m"]);
        assert_eq!([words(3 * 3600), words(3 * 86_400)], ["3h", "3d"]);
    }
}
