//! Strategic merge patch: a merge patch in which some lists are merged item by item, by a key.
//!
//! Served as far as kubectl's `apply`, `patch` and `set` and kube-rs send it: merge keys, `$patch: delete|replace`,
//! `$deleteFromPrimitiveList`, `$retainKeys`; `$setElementOrder` is read and its order kept.

use serde_json::{Map, Value};

use crate::testing::object::merge_key;

pub(super) fn run(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if patch.get("$patch").and_then(Value::as_str) == Some("replace") || !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Some(target) = target.as_object_mut() else { return };
    for (field, value) in patch {
        if field == "$patch" {
            continue;
        }
        if field == "$retainKeys" {
            let kept: Vec<&str> = value.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            target.retain(|field, _| kept.contains(&field.as_str()));
            continue;
        }
        if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            let gone = value.as_array().map_or(&[][..], Vec::as_slice);
            if let Some(items) = target.get_mut(list).and_then(Value::as_array_mut) {
                items.retain(|item| !gone.contains(item));
            }
            continue;
        }
        if field.starts_with("$setElementOrder/") {
            continue;
        }
        match value {
            Value::Null => {
                target.shift_remove(field);
            }
            Value::Array(items) => {
                let slot = target.entry(field.clone()).or_insert_with(|| Value::Array(Vec::new()));
                merge_list(field, slot, items);
            }
            value => run(target.entry(field.clone()).or_insert(Value::Null), value),
        }
    }
    for (field, order) in patch {
        if let Some(list) = field.strip_prefix("$setElementOrder/")
            && let Some(items) = target.get_mut(list).and_then(Value::as_array_mut)
        {
            reorder(list, items, order.as_array().map_or(&[], Vec::as_slice));
        }
    }
}

fn merge_list(field: &str, target: &mut Value, patch: &[Value]) {
    let existing = target.as_array().cloned().unwrap_or_default();
    // Finalizers are a set; other lists of plain values are one value each.
    if field == "finalizers" {
        let mut merged = existing;
        merged.extend(patch.iter().filter(|item| !merged.contains(item)).cloned().collect::<Vec<_>>());
        *target = Value::Array(merged);
        return;
    }
    let replace = patch.iter().any(|item| {
        item.get("$patch").and_then(Value::as_str) == Some("replace") && item.as_object().is_some_and(|o| o.len() == 1)
    });
    let both: Vec<Value> = existing.iter().chain(patch).cloned().collect();
    let (Some(key), false) = (merge_key(field, &both), replace) else {
        let plain = patch.iter().filter(|item| item.get("$patch").is_none()).cloned().collect();
        *target = Value::Array(plain);
        return;
    };
    let mut merged = existing;
    for item in patch {
        let same = |other: &Value| other.get(key) == item.get(key);
        if item.get("$patch").and_then(Value::as_str) == Some("delete") {
            merged.retain(|other| !same(other));
        } else if let Some(found) = merged.iter_mut().find(|other| same(other)) {
            run(found, item);
        } else {
            let mut new = Value::Object(Map::new());
            run(&mut new, item);
            merged.push(new);
        }
    }
    *target = Value::Array(merged);
}

/// Puts the items that `order` names into its order, each at a place that one of them held.
fn reorder(field: &str, items: &mut [Value], order: &[Value]) {
    let rank = |item: &Value| {
        order.iter().position(|wanted| match merge_key(field, std::slice::from_ref(wanted)) {
            Some(key) => wanted.get(key) == item.get(key),
            None => wanted == item,
        })
    };
    let mut named: Vec<Value> = items.iter().filter(|item| rank(item).is_some()).cloned().collect();
    named.sort_by_key(|item| rank(item));
    let mut named = named.into_iter();
    for slot in items.iter_mut().filter(|item| rank(item).is_some()).collect::<Vec<_>>() {
        if let Some(next) = named.next() {
            *slot = next;
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(mut target: Value, patch: Value) -> Value {
        run(&mut target, &patch);
        target
    }

    #[test]
    fn merges_lists_by_key() {
        let target = json!({ "containers": [{ "name": "app", "image": "a:1", "args": ["x"] }, { "name": "side" }] });
        let patch = json!({ "containers": [{ "name": "app", "image": "a:2" }, { "name": "new" }] });
        let result = json!({ "containers": [
            { "name": "app", "image": "a:2", "args": ["x"] }, { "name": "side" }, { "name": "new" }
        ] });
        assert_eq!(patched(target, patch), result);
    }

    #[test]
    fn deletes_and_replaces() {
        let target = json!({ "env": [{ "name": "A", "value": "1" }, { "name": "B" }], "x": { "a": 1, "b": 2 } });
        let patch = json!({ "env": [{ "name": "A", "$patch": "delete" }], "x": { "$patch": "replace", "c": 3 } });
        assert_eq!(patched(target, patch), json!({ "env": [{ "name": "B" }], "x": { "c": 3 } }));
    }

    #[test]
    fn keeps_the_order_asked_for_and_treats_plain_lists_as_one_value() {
        let target = json!({ "env": [{ "name": "A" }, { "name": "B" }], "args": ["a", "b"], "finalizers": ["f"] });
        let patch = json!({
            "$setElementOrder/env": [{ "name": "B" }, { "name": "A" }], "args": ["c"], "finalizers": ["g"],
        });
        let result = json!({ "env": [{ "name": "B" }, { "name": "A" }], "args": ["c"], "finalizers": ["f", "g"] });
        assert_eq!(patched(target, patch), result);
    }
}
