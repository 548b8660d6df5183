//! The file as a tree in which every key and every value knows its place.

use serde_json::{Map, Number, Value};

/// Where something stands: line and column from 1, and how many characters of that line it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) width: usize,
}

/// One value of the file.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: NodeValue,
    /// How deep the tree is below here, this node included.
    pub(crate) depth: usize,
    /// How many nodes the tree has from here on.
    pub(crate) size: usize,
}

#[derive(Clone, Debug)]
pub(crate) enum NodeValue {
    Scalar(Scalar),
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

/// A scalar as written.
#[derive(Clone, Debug)]
pub(crate) struct Scalar {
    pub(crate) text: String,
    /// Written without quotes and without a tag, so that `5` is a number and `true` a boolean.
    pub(crate) plain: bool,
    /// The text before variables were put in, which is what a message may show.
    pub(crate) written: Option<String>,
}

impl Node {
    pub(crate) fn new(place: Place, value: NodeValue) -> Self {
        let children: Vec<&Node> = match &value {
            NodeValue::Scalar(_) => Vec::new(),
            NodeValue::Sequence(items) => items.iter().collect(),
            NodeValue::Mapping(entries) => entries.iter().map(|entry| &entry.value).collect(),
        };
        let depth = children.iter().map(|child| child.depth).max().unwrap_or(0) + 1;
        let size = children.iter().map(|child| child.size).sum::<usize>() + 1;
        Self { place, value, depth, size }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        match &self.value {
            NodeValue::Mapping(entries) => entries.iter().find(|entry| entry.key == key),
            _ => None,
        }
    }

    /// The tree as JSON, with YAML 1.2's core rules for unquoted scalars.
    pub(crate) fn to_json(&self) -> Value {
        match &self.value {
            NodeValue::Scalar(scalar) => scalar.to_json(),
            NodeValue::Sequence(items) => Value::Array(items.iter().map(Node::to_json).collect()),
            NodeValue::Mapping(entries) => {
                let entries = entries.iter().map(|entry| (entry.key.clone(), entry.value.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }
}

impl Scalar {
    /// What a message may show of this value: never what a variable held.
    pub(crate) fn shown(&self) -> &str {
        self.written.as_deref().unwrap_or(&self.text)
    }

    pub(crate) fn to_json(&self) -> Value {
        let text = || Value::String(self.text.clone());
        if !self.plain {
            return text();
        }
        match self.text.as_str() {
            "" | "~" | "null" | "Null" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            other => number(other).map_or_else(text, Value::Number),
        }
    }
}

fn number(text: &str) -> Option<Number> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok().map(Number::from);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return u64::from_str_radix(digits, 8).ok().map(Number::from);
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(Number::from(whole));
    }
    if let Ok(whole) = text.parse::<u64>() {
        return Some(Number::from(whole));
    }
    // Rust reads `1_0`, `inf` and `nan` otherwise than YAML; only what has the shape of a number gets here.
    let shaped = unsigned.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '-' | '+'));
    if shaped { text.parse::<f64>().ok().and_then(Number::from_f64) } else { None }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_unquoted_scalar_follows_the_core_rules() {
        let read = |text: &str| Scalar { text: text.to_owned(), plain: true, written: None }.to_json();
        for (text, value) in [
            ("5", json!(5)),
            ("-5", json!(-5)),
            ("15.4", json!(15.4)),
            ("0x1f", json!(31)),
            ("0o17", json!(15)),
            ("123456789012", json!(123_456_789_012_u64)),
            ("true", json!(true)),
            ("~", json!(null)),
            ("yes", json!("yes")),
            ("10s", json!("10s")),
            (".inf", json!(".inf")),
            ("1.2.3", json!("1.2.3")),
            ("e5", json!("e5")),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
        assert_eq!(Scalar { text: "5".to_owned(), plain: false, written: None }.to_json(), json!("5"));
    }
}
