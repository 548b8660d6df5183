//! Server-side apply: merges by ownership, and refuses to take a field from another manager unless forced.
//!
//! Ownership is kept where Kubernetes keeps it, in `metadata.managedFields`, in the same `FieldsV1` notation. Lists are
//! merged by the keys of the built-in kinds; every other list is one value.

use serde_json::{Map, Value, json};

use crate::testing::{
    api::ApiError,
    object::{self, merge_key},
};

/// Who writes.
#[derive(Clone, Debug)]
pub(in crate::testing) struct Owner {
    pub(in crate::testing) manager: String,
    pub(in crate::testing) api_version: String,
    pub(in crate::testing) subresource: Option<String>,
    pub(in crate::testing) time: String,
}

/// Fields of an object that nobody owns: identity, and what the server sets.
const SERVER_FIELDS: &[&str] = &[
    "name",
    "namespace",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "managedFields",
    "deletionTimestamp",
    "generateName",
];

/// Notes that `owner` wrote, by an update or a plain patch, whatever differs between `before` and `after`.
pub(in crate::testing) fn record_update(owner: &Owner, before: &Value, after: &mut Value) {
    let changed = difference(&owned_part(before), &owned_part(after), "");
    if is_empty(&changed) {
        return;
    }
    let mut entries = entries(after);
    for entry in &mut entries {
        let left = subtract(fields(entry), &changed);
        object::set(entry, &["fieldsV1"], left);
    }
    let mine = entries.iter_mut().find(|e| is_of(e, owner, "Update"));
    match mine {
        Some(entry) => {
            let all = union(fields(entry), &changed);
            object::set(entry, &["fieldsV1"], all);
            object::set(entry, &["time"], json!(owner.time));
        }
        None => entries.push(new_entry(owner, "Update", changed)),
    }
    store_entries(after, entries);
}

/// Merges `applied` into `after` on behalf of `owner`; `before` is the object as it is, when it exists.
pub(in crate::testing) fn apply(
    owner: &Owner,
    before: Option<&Value>,
    applied: &Value,
    force: bool,
    after: &mut Value,
) -> Result<(), ApiError> {
    let wanted = owned_part(applied);
    let claimed = field_set(&wanted, "");
    let mut entries = before.map(entries).unwrap_or_default();

    let changing = match before {
        Some(before) => intersect(&difference(&owned_part(before), &wanted, ""), &claimed),
        None => json!({}),
    };
    let mut conflicts = Vec::new();
    for entry in entries.iter().filter(|e| !is_of(e, owner, "Apply")) {
        for path in leaves(&intersect(&changing, fields(entry)), "") {
            conflicts.push((object::text(entry, "/manager").to_owned(), path));
        }
    }
    if !conflicts.is_empty() && !force {
        return Err(ApiError::apply_conflict(&conflicts));
    }
    for entry in entries.iter_mut().filter(|e| !is_of(e, owner, "Apply")) {
        let left = subtract(fields(entry), &changing);
        object::set(entry, &["fieldsV1"], left);
    }

    merge(after, &wanted, "");
    let previous = entries.iter().find(|e| is_of(e, owner, "Apply")).map(|e| fields(e).clone());
    if let Some(previous) = previous {
        let mut dropped = subtract(&previous, &claimed);
        for entry in entries.iter().filter(|e| !is_of(e, owner, "Apply")) {
            dropped = subtract(&dropped, fields(entry));
        }
        remove_fields(after, &dropped);
    }
    entries.retain(|e| !is_of(e, owner, "Apply"));
    entries.push(new_entry(owner, "Apply", claimed));
    store_entries(after, entries);
    Ok(())
}

fn new_entry(owner: &Owner, operation: &str, fields: Value) -> Value {
    let mut entry = json!({
        "manager": owner.manager, "operation": operation, "apiVersion": owner.api_version, "time": owner.time,
        "fieldsType": "FieldsV1", "fieldsV1": fields,
    });
    if let Some(subresource) = &owner.subresource {
        object::set(&mut entry, &["subresource"], json!(subresource));
    }
    entry
}

fn entries(object: &Value) -> Vec<Value> {
    object::items(object, "/metadata/managedFields").to_vec()
}

fn store_entries(object: &mut Value, mut entries: Vec<Value>) {
    entries.retain(|entry| !is_empty(fields(entry)));
    object::set(object, &["metadata", "managedFields"], Value::Array(entries));
}

fn fields(entry: &Value) -> &Value {
    entry.get("fieldsV1").unwrap_or(&Value::Null)
}

fn is_of(entry: &Value, owner: &Owner, operation: &str) -> bool {
    object::text(entry, "/manager") == owner.manager
        && object::text(entry, "/operation") == operation
        && object::text(entry, "/subresource") == owner.subresource.as_deref().unwrap_or_default()
}

/// The part of an object that managers own.
fn owned_part(object: &Value) -> Value {
    let mut part = object.clone();
    for field in ["apiVersion", "kind"] {
        object::unset(&mut part, &[field]);
    }
    for field in SERVER_FIELDS {
        object::unset(&mut part, &["metadata", field]);
    }
    if part.get("metadata").and_then(Value::as_object).is_some_and(Map::is_empty) {
        object::unset(&mut part, &["metadata"]);
    }
    part
}

fn is_empty(set: &Value) -> bool {
    set.as_object().is_none_or(Map::is_empty)
}

/// The name of a list's item in a field set: `k:{"name":"app"}`.
fn item_name(key: &str, item: &Value) -> String {
    format!("k:{}", json!({ key: item.get(key).cloned().unwrap_or(Value::Null) }))
}

/// The named parts of a map or a keyed list, or nothing when the value is a leaf.
fn parts<'a>(value: &'a Value, field: &str) -> Option<Vec<(String, &'a Value, &'a str)>> {
    match value {
        Value::Object(map) if !map.is_empty() => {
            Some(map.iter().map(|(k, v)| (format!("f:{k}"), v, k.as_str())).collect())
        }
        Value::Array(list) if !list.is_empty() => {
            let key = merge_key(field, list)?;
            Some(list.iter().map(|item| (item_name(key, item), item, "")).collect())
        }
        _ => None,
    }
}

/// The set of all fields of a value.
fn field_set(value: &Value, field: &str) -> Value {
    let parts = parts(value, field).unwrap_or_default();
    Value::Object(parts.into_iter().map(|(name, value, field)| (name, field_set(value, field))).collect())
}

/// The set of the fields of `new` that `old` lacks or has otherwise.
fn difference(old: &Value, new: &Value, field: &str) -> Value {
    let Some(new_parts) = parts(new, field) else { return json!({}) };
    let old_parts = parts(old, field).unwrap_or_default();
    let mut set = Map::new();
    for (name, value, field) in new_parts {
        let before = old_parts.iter().find(|(old_name, ..)| *old_name == name).map(|(_, v, _)| *v);
        match before {
            Some(before) if before == value => {}
            Some(before) if parts(before, field).is_some() && parts(value, field).is_some() => {
                let inner = difference(before, value, field);
                if !is_empty(&inner) {
                    set.insert(name, inner);
                }
            }
            _ => {
                set.insert(name, field_set(value, field));
            }
        }
    }
    Value::Object(set)
}

/// The leaves of `a` that are not leaves of `b`.
fn subtract(a: &Value, b: &Value) -> Value {
    let mut left = Map::new();
    for (name, inner) in a.as_object().into_iter().flatten() {
        match b.get(name) {
            None => {
                left.insert(name.clone(), inner.clone());
            }
            Some(other) if !is_empty(inner) && !is_empty(other) => {
                let inner = subtract(inner, other);
                if !is_empty(&inner) {
                    left.insert(name.clone(), inner);
                }
            }
            Some(_) => {}
        }
    }
    Value::Object(left)
}

/// The leaves that `a` and `b` share.
fn intersect(a: &Value, b: &Value) -> Value {
    let mut shared = Map::new();
    for (name, inner) in a.as_object().into_iter().flatten() {
        let Some(other) = b.get(name) else { continue };
        if is_empty(inner) || is_empty(other) {
            shared.insert(name.clone(), json!({}));
            continue;
        }
        let inner = intersect(inner, other);
        if !is_empty(&inner) {
            shared.insert(name.clone(), inner);
        }
    }
    Value::Object(shared)
}

fn union(a: &Value, b: &Value) -> Value {
    let mut all = a.as_object().cloned().unwrap_or_default();
    for (name, inner) in b.as_object().into_iter().flatten() {
        let merged = match all.get(name) {
            Some(mine) => union(mine, inner),
            None => inner.clone(),
        };
        all.insert(name.clone(), merged);
    }
    Value::Object(all)
}

/// The leaves of a set as paths for people: `.spec.replicas`.
fn leaves(set: &Value, prefix: &str) -> Vec<String> {
    let mut paths = Vec::new();
    for (name, inner) in set.as_object().into_iter().flatten() {
        let path = match (name.strip_prefix("f:"), name.strip_prefix("k:")) {
            (Some(field), _) => format!("{prefix}.{field}"),
            (_, Some(key)) => format!(
                "{prefix}[{}]",
                key.trim_start_matches('{').trim_end_matches('}').replace("\":", "=").replace("\"", "")
            ),
            _ => format!("{prefix}.{name}"),
        };
        if is_empty(inner) { paths.push(path) } else { paths.extend(leaves(inner, &path)) }
    }
    paths
}

fn merge(target: &mut Value, applied: &Value, field: &str) {
    match (target, applied) {
        (Value::Object(target), Value::Object(applied)) => {
            for (field, value) in applied {
                merge(target.entry(field.clone()).or_insert(Value::Null), value, field);
            }
        }
        (Value::Array(target), Value::Array(applied)) => {
            let both: Vec<Value> = target.iter().chain(applied).cloned().collect();
            let Some(key) = merge_key(field, &both) else {
                *target = applied.clone();
                return;
            };
            for item in applied {
                match target.iter_mut().find(|other| other.get(key) == item.get(key)) {
                    Some(found) => merge(found, item, ""),
                    None => target.push(item.clone()),
                }
            }
        }
        (target, applied) => *target = applied.clone(),
    }
}

/// Removes the leaves of a set from an object, and list items of which nothing but the key is left.
fn remove_fields(target: &mut Value, set: &Value) {
    for (name, inner) in set.as_object().into_iter().flatten() {
        if let Some(field) = name.strip_prefix("f:") {
            if is_empty(inner) {
                object::unset(target, &[field]);
            } else if let Some(child) = target.get_mut(field) {
                remove_fields(child, inner);
                let empty = child.as_object().is_some_and(Map::is_empty) || child.as_array().is_some_and(Vec::is_empty);
                if empty {
                    object::unset(target, &[field]);
                }
            }
        } else if let (Some(key), Some(list)) = (name.strip_prefix("k:"), target.as_array_mut()) {
            let Ok(Value::Object(key)) = serde_json::from_str::<Value>(key) else { continue };
            let is_it = |item: &Value| key.iter().all(|(k, v)| item.get(k) == Some(v));
            for item in list.iter_mut().filter(|item| is_it(item)) {
                remove_fields(item, inner);
            }
            let gone =
                |item: &Value| is_it(item) && item.as_object().is_some_and(|o| o.keys().all(|k| !key.contains_key(k)));
            list.retain(|item| !gone(item) && !item.as_object().is_some_and(Map::is_empty));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner(manager: &str) -> Owner {
        Owner { manager: manager.into(), api_version: "apps/v1".into(), subresource: None, time: "t".into() }
    }

    fn applied_by(manager: &str, object: &mut Value, config: &Value, force: bool) -> Result<(), ApiError> {
        let before = object.clone();
        apply(&owner(manager), Some(&before), config, force, object)
    }

    #[test]
    fn a_field_of_another_manager_is_a_conflict_unless_forced() {
        let mut object = json!({});
        applied_by("a", &mut object, &json!({ "spec": { "replicas": 1, "paused": false } }), false).unwrap();
        let theirs = json!({ "spec": { "replicas": 3 } });
        let error = applied_by("b", &mut object, &theirs, false).unwrap_err();
        assert_eq!(error.message, "Apply failed with 1 conflict: conflict with \"a\": .spec.replicas");
        applied_by("b", &mut object, &theirs, true).unwrap();
        assert_eq!(object::number(&object, "/spec/replicas", 0), 3);
        // Now it is b's, and a is in conflict.
        assert!(applied_by("a", &mut object, &json!({ "spec": { "replicas": 1, "paused": false } }), false).is_err());
        // The same value is shared, not fought over.
        applied_by("c", &mut object, &theirs, false).unwrap();
    }

    #[test]
    fn a_field_that_is_no_longer_applied_goes_when_nobody_else_owns_it() {
        let mut object = json!({});
        let both = json!({ "metadata": { "labels": { "x": "1", "y": "2" } } });
        applied_by("a", &mut object, &both, false).unwrap();
        applied_by("b", &mut object, &json!({ "metadata": { "labels": { "y": "2" } } }), false).unwrap();
        applied_by("a", &mut object, &json!({ "spec": { "z": 1 } }), false).unwrap();
        assert_eq!(object.pointer("/metadata/labels"), Some(&json!({ "y": "2" })));
    }

    #[test]
    fn an_update_takes_fields_over() {
        let mut object = json!({});
        applied_by("a", &mut object, &json!({ "spec": { "replicas": 1 } }), false).unwrap();
        let before = object.clone();
        object::set(&mut object, &["spec", "replicas"], json!(5));
        record_update(&owner("kubectl"), &before, &mut object);
        let error = applied_by("a", &mut object, &json!({ "spec": { "replicas": 1 } }), false).unwrap_err();
        assert!(error.message.contains("kubectl"), "{}", error.message);
    }

    #[test]
    fn keyed_lists_are_merged_and_pruned_by_item() {
        let mut object = json!({});
        let config = |names: &[&str]| {
            let containers: Vec<Value> = names.iter().map(|n| json!({ "name": n, "image": "i" })).collect();
            json!({ "spec": { "containers": containers } })
        };
        applied_by("a", &mut object, &config(&["one", "two"]), false).unwrap();
        applied_by("b", &mut object, &config(&["three"]), false).unwrap();
        applied_by("a", &mut object, &config(&["one"]), false).unwrap();
        let names: Vec<&str> =
            object::items(&object, "/spec/containers").iter().map(|c| object::text(c, "/name")).collect();
        assert_eq!(names, ["one", "three"]);
    }
}
