//! Reading and writing single fields of an object that is kept as JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// What is at a JSON pointer: as [`Value::pointer`] has it, without a copy of each part of it. Controllers look at little else.
fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    match pointer.strip_prefix('/') {
        Some(path) if !pointer.contains('~') => path.split('/').try_fold(object, |value, part| match value {
            Value::Object(fields) => fields.get(part),
            _ => value.pointer(&format!("/{part}")),
        }),
        _ => object.pointer(pointer),
    }
}

/// The text at a JSON pointer, empty when there is none.
pub(super) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The whole number at a JSON pointer, `default` when there is none.
pub(super) fn number(object: &Value, pointer: &str, default: i64) -> i64 {
    at(object, pointer).and_then(Value::as_i64).unwrap_or(default)
}

/// The list at a JSON pointer, empty when there is none.
pub(super) fn items<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The map of text to text at a JSON pointer: labels, annotations, `matchLabels`.
pub(super) fn text_map(object: &Value, pointer: &str) -> BTreeMap<String, String> {
    let map = at(object, pointer).and_then(Value::as_object);
    map.into_iter().flatten().filter_map(|(k, v)| Some((k.clone(), v.as_str()?.to_owned()))).collect()
}

/// `value` as a map, which it is made into when it is anything else.
fn as_map(value: &mut Value) -> Option<&mut Map<String, Value>> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut()
}

/// Sets the field at `path`, making the maps on the way.
pub(super) fn set(object: &mut Value, path: &[&str], value: Value) {
    match path {
        [] => *object = value,
        [field, rest @ ..] => {
            if let Some(map) = as_map(object) {
                set(map.entry((*field).to_owned()).or_insert(Value::Null), rest, value);
            }
        }
    }
}

/// Sets the field at `path` only when it is absent or null.
pub(super) fn set_default(object: &mut Value, path: &[&str], value: Value) {
    match path {
        [] => {
            if object.is_null() {
                *object = value;
            }
        }
        [field, rest @ ..] => {
            if let Some(map) = as_map(object) {
                set_default(map.entry((*field).to_owned()).or_insert(Value::Null), rest, value);
            }
        }
    }
}

/// Removes the field at `path`, if it is there.
pub(super) fn unset(object: &mut Value, path: &[&str]) {
    match path {
        [] => {}
        [field] => {
            if let Some(map) = object.as_object_mut() {
                map.shift_remove(*field);
            }
        }
        [field, rest @ ..] => {
            if let Some(child) = object.get_mut(*field) {
                unset(child, rest);
            }
        }
    }
}

/// Copies the field at `path` from one object to another; an absent field is removed there too.
pub(super) fn copy_field(from: &Value, to: &mut Value, field: &str) {
    match from.get(field) {
        Some(value) => set(to, &[field], value.clone()),
        None => unset(to, &[field]),
    }
}

/// The key that tells the items of a list apart when lists are merged, by the list's field name.
///
/// These are the `patchMergeKey`s of the built-in kinds that this double serves; an absent key means
/// that the list is one value, replaced whole.
pub(super) fn merge_key(field: &str, list: &[Value]) -> Option<&'static str> {
    let key = match field {
        "containers" | "initContainers" | "ephemeralContainers" | "volumes" | "env" | "imagePullSecrets" => "name",
        "ports" if list.iter().any(|item| item.get("containerPort").is_some()) => "containerPort",
        "ports" => "port",
        "conditions" | "addresses" => "type",
        "volumeMounts" => "mountPath",
        "ownerReferences" => "uid",
        "hostAliases" => "ip",
        "taints" => "key",
        _ => return None,
    };
    list.iter().all(|item| item.get(key).is_some() || item.get("$patch").is_some()).then_some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pointer_leads_where_serde_has_it_lead() {
        let object = serde_json::json!({ "a": { "b": [{ "c": "x" }, 2], "d/e": "y", "": "z" }, "n": null });
        let pointers =
            ["", "/", "/a", "/a/b/0/c", "/a/b/1", "/a/b/01", "/a/b/2", "/a/b/-", "/a/d~1e", "/a/", "/n", "/n/m", "a"];
        for pointer in pointers {
            assert_eq!(at(&object, pointer), object.pointer(pointer), "{pointer:?}");
        }
    }
}
