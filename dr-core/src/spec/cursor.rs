//! Walking the tree leniently: what is not there or not of the expected type is somebody else's finding.

use std::time::Duration;

use serde_json::Value;

use super::{
    duration::parse_duration,
    node::{Node, NodeValue, Place},
    yaml::join,
};

/// A value of the tree with its key's place and its path.
#[derive(Clone, Debug)]
pub(crate) struct At<'a> {
    node: &'a Node,
    label: Place,
    path: String,
}

impl<'a> At<'a> {
    pub(crate) fn root(node: &'a Node) -> Self {
        Self { node, label: node.place, path: String::new() }
    }

    pub(crate) fn node(&self) -> &'a Node {
        self.node
    }

    /// Where the value stands.
    pub(crate) fn place(&self) -> Place {
        self.node.place
    }

    /// Where its key stands; the value itself, when it has none.
    pub(crate) fn label(&self) -> Place {
        self.label
    }

    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn get(&self, key: &str) -> Option<Self> {
        let entry = self.node.entry(key)?;
        Some(Self { node: &entry.value, label: entry.key_place, path: join(&self.path, key) })
    }

    pub(crate) fn items(&self) -> Vec<Self> {
        match &self.node.value {
            NodeValue::Sequence(items) => items
                .iter()
                .enumerate()
                .map(|(i, node)| Self { node, label: node.place, path: format!("{}[{i}]", self.path) })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// The items of the list at `key`.
    pub(crate) fn list(&self, key: &str) -> Vec<Self> {
        self.get(key).map(|list| list.items()).unwrap_or_default()
    }

    pub(crate) fn entries(&self) -> Vec<(&'a str, Self)> {
        match &self.node.value {
            NodeValue::Mapping(entries) => entries
                .iter()
                .map(|entry| {
                    let path = join(&self.path, &entry.key);
                    (entry.key.as_str(), Self { node: &entry.value, label: entry.key_place, path })
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    pub(crate) fn text(&self) -> Option<&'a str> {
        match &self.node.value {
            NodeValue::Scalar(scalar) if matches!(scalar.to_json(), Value::String(_)) => Some(&scalar.text),
            _ => None,
        }
    }

    /// The text as a message may show it.
    pub(crate) fn shown(&self) -> String {
        match &self.node.value {
            NodeValue::Scalar(scalar) => super::conform::shortened(scalar.shown()),
            _ => String::new(),
        }
    }

    pub(crate) fn number(&self) -> Option<u64> {
        match &self.node.value {
            NodeValue::Scalar(scalar) => scalar.to_json().as_u64(),
            _ => None,
        }
    }

    pub(crate) fn duration(&self) -> Option<Duration> {
        self.text().and_then(|text| parse_duration(text).ok())
    }

    pub(crate) fn text_at(&self, key: &str) -> Option<&'a str> {
        self.get(key).and_then(|at| at.text())
    }

    pub(crate) fn number_at(&self, key: &str) -> Option<u64> {
        self.get(key).and_then(|at| at.number())
    }

    pub(crate) fn duration_at(&self, key: &str) -> Option<Duration> {
        self.get(key).and_then(|at| at.duration())
    }
}
