//! What the stack looks like, so that the end of a drill can be compared with its beginning.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A workload of a cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Workload {
    /// What its deployment asks for.
    pub replicas: u32,
    /// What is ready.
    pub ready: u32,
    /// What its autoscaler may not go below, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// What its autoscaler may not go above.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// Everything that a drill must leave as it found it. Versions and times, which only ever grow, are left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct StackState {
    /// The addresses that the public name leads to.
    pub answer: Vec<String>,
    /// The records of the zone, by name, type and set identifier.
    pub records: BTreeMap<String, Value>,
    /// The health checks, by id.
    pub health_checks: BTreeMap<String, Value>,
    /// The cluster that writes.
    pub writer: Option<String>,
    /// What the members of the global database are: `writer`, `connected`, `pending-resync`.
    pub database: BTreeMap<String, String>,
    /// The members of the global cache and their roles.
    pub cache: BTreeMap<String, String>,
    /// The workloads, by region and name.
    pub workloads: BTreeMap<String, BTreeMap<String, Workload>>,
    /// The keys in the bucket of the failover switch.
    pub switch: Vec<String>,
    /// Faults that are still set.
    pub faults: Vec<String>,
}

impl StackState {
    /// What differs, a line each: `database.ecommerce-production: "writer" became "connected"`. Empty when nothing does.
    #[must_use]
    pub fn diff(&self, now: &Self) -> Vec<String> {
        let (before, now) = (self.leaves(), now.leaves());
        let paths: BTreeSet<_> = before.keys().chain(now.keys()).collect();
        paths
            .into_iter()
            .filter_map(|path| match (before.get(path), now.get(path)) {
                (Some(was), Some(is)) if was != is => Some(format!("{path}: {was} became {is}")),
                (Some(was), None) => Some(format!("{path}: {was} is gone")),
                (None, Some(is)) => Some(format!("{path}: {is} is new")),
                _ => None,
            })
            .collect()
    }

    fn leaves(&self) -> BTreeMap<String, Value> {
        let mut leaves = BTreeMap::new();
        // Plain data with string keys, which always serialises.
        if let Ok(value) = serde_json::to_value(self) {
            collect("", value, &mut leaves);
        }
        leaves
    }
}

fn collect(path: &str, value: Value, leaves: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                collect(&path, value, leaves);
            }
        }
        leaf => {
            leaves.insert(path.to_owned(), leaf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state() -> StackState {
        StackState {
            answer: vec!["127.0.1.1".into()],
            writer: Some("ecommerce-production".into()),
            database: BTreeMap::from([("ecommerce-production".into(), "writer".into())]),
            ..StackState::default()
        }
    }

    #[test]
    fn nothing_differs_from_itself() {
        assert!(state().diff(&state()).is_empty());
    }

    #[test]
    fn each_difference_is_a_line_with_its_place() {
        let mut now = state();
        now.database.insert("ecommerce-production".into(), "connected".into());
        now.writer = None;
        now.switch.push("stop/key".into());
        now.workloads.insert(
            "eu-west-1".into(),
            BTreeMap::from([("cart".into(), Workload { replicas: 4, ready: 4, min: None, max: None })]),
        );
        assert_eq!(
            state().diff(&now),
            [
                r#"database.ecommerce-production: "writer" became "connected""#,
                r#"switch: [] became ["stop/key"]"#,
                r"workloads: {} is gone",
                r"workloads.eu-west-1.cart.ready: 4 is new",
                r"workloads.eu-west-1.cart.replicas: 4 is new",
                r#"writer: "ecommerce-production" became null"#,
            ]
        );
    }
}
