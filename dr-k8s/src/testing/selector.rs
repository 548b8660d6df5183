//! Label and field selectors.

use std::sync::Arc;

use serde_json::Value;

use super::{api::ApiError, catalog::ResourceType, object};

#[derive(Clone, Debug, PartialEq, Eq)]
enum Requirement {
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Exists(String),
    Absent(String),
}

/// What a list, a watch or a collection's deletion is narrowed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Selector {
    labels: Vec<Requirement>,
    /// Pointer, wanted value, and whether it must differ instead.
    fields: Vec<(String, String, bool)>,
}

impl Selector {
    /// Reads the `labelSelector` and `fieldSelector` parameters.
    pub(super) fn parse(resource: &Arc<ResourceType>, labels: &str, fields: &str) -> Result<Self, ApiError> {
        let labels = split(labels).map(requirement).collect::<Result<_, _>>()?;
        let fields = split(fields).map(|term| field(resource, term)).collect::<Result<_, _>>()?;
        Ok(Self { labels, fields })
    }

    pub(super) fn matches(&self, object: &Value) -> bool {
        let labels = object::text_map(object, "/metadata/labels");
        let by_labels = self.labels.iter().all(|requirement| match requirement {
            Requirement::In(key, values) => labels.get(key).is_some_and(|v| values.contains(v)),
            // As in Kubernetes: an object without the label matches `!=` and `notin`.
            Requirement::NotIn(key, values) => labels.get(key).is_none_or(|v| !values.contains(v)),
            Requirement::Exists(key) => labels.contains_key(key),
            Requirement::Absent(key) => !labels.contains_key(key),
        });
        by_labels
            && self.fields.iter().all(|(pointer, wanted, differ)| {
                let found = match object.pointer(pointer) {
                    Some(Value::Bool(b)) => b.to_string() == *wanted,
                    Some(Value::String(s)) => s == wanted,
                    _ => wanted.is_empty(),
                };
                found != *differ
            })
    }
}

/// The terms of a selector: commas separate them, except inside parentheses.
fn split(selector: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_i32;
    selector
        .split(move |c| {
            match c {
                '(' => depth += 1,
                ')' => depth -= 1,
                _ => {}
            }
            c == ',' && depth == 0
        })
        .map(str::trim)
        .filter(|term| !term.is_empty())
}

fn requirement(term: &str) -> Result<Requirement, ApiError> {
    let bad = || ApiError::bad_request(format!("unable to parse requirement: {term:?}"));
    if let Some(key) = term.strip_prefix('!') {
        return Ok(Requirement::Absent(key.trim().to_owned()));
    }
    for (word, negative) in [(" notin ", true), (" in ", false)] {
        if let Some((key, values)) = term.split_once(word) {
            let values = values.trim().strip_prefix('(').and_then(|v| v.strip_suffix(')')).ok_or_else(bad)?;
            let values = values.split(',').map(|v| v.trim().to_owned()).collect();
            let key = key.trim().to_owned();
            return Ok(if negative { Requirement::NotIn(key, values) } else { Requirement::In(key, values) });
        }
    }
    if let Some((key, value)) = term.split_once("!=") {
        return Ok(Requirement::NotIn(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return Ok(Requirement::In(key.trim().to_owned(), vec![value.trim().to_owned()]));
    }
    if term.contains(char::is_whitespace) {
        return Err(bad());
    }
    Ok(Requirement::Exists(term.to_owned()))
}

/// The field selectors that Kubernetes supports: name and namespace for every kind, a few more for some.
fn field(resource: &Arc<ResourceType>, term: &str) -> Result<(String, String, bool), ApiError> {
    let (path, value, differ) = if let Some((path, value)) = term.split_once("!=") {
        (path, value, true)
    } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        (path, value, false)
    } else {
        return Err(ApiError::bad_request(format!("invalid selector: {term:?}; can't understand {term:?}")));
    };
    let known = match path {
        "metadata.name" | "metadata.namespace" => true,
        "status.phase" | "spec.nodeName" => {
            resource.plural == "pods" || path == "status.phase" && resource.plural == "namespaces"
        }
        "spec.unschedulable" => resource.plural == "nodes",
        "type" => matches!(resource.plural, "secrets" | "events"),
        "reason" => resource.plural == "events",
        path if path.starts_with("involvedObject.") => resource.plural == "events",
        _ => false,
    };
    if !known {
        return Err(ApiError::bad_request(format!("field label not supported: {path}")));
    }
    Ok((format!("/{}", path.replace('.', "/")), value.to_owned(), differ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pods() -> Arc<ResourceType> {
        Arc::clone(super::super::catalog::Catalog::default().find("", "v1", "pods").unwrap())
    }

    #[test]
    fn selects_by_label() {
        let pod = json!({ "metadata": { "labels": { "app": "cart", "tier": "web" } } });
        for (selector, matches) in [
            ("app=cart", true),
            ("app==cart,tier=web", true),
            ("app!=cart", false),
            ("other!=x", true),
            ("app in (cart, orders),tier", true),
            ("app notin (cart)", false),
            ("!app", false),
            ("!other", true),
            ("", true),
        ] {
            assert_eq!(Selector::parse(&pods(), selector, "").unwrap().matches(&pod), matches, "{selector}");
        }
        assert!(Selector::parse(&pods(), "app in cart", "").is_err());
    }

    #[test]
    fn selects_by_field() {
        let pod = json!({ "metadata": { "name": "a" }, "status": { "phase": "Running" } });
        let matches = |s: &str| Selector::parse(&pods(), "", s).map(|s| s.matches(&pod)).ok();
        assert_eq!(matches("metadata.name=a"), Some(true));
        assert_eq!(matches("status.phase!=Running"), Some(false));
        assert_eq!(matches("spec.nodeName="), Some(true));
        assert_eq!(matches("spec.replicas=3"), None);
    }
}
