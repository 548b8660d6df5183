//! JSON patch (RFC 6902).

use serde_json::Value;

use crate::testing::{api::ApiError, object};

pub(super) fn run(target: &mut Value, patch: &Value) -> Result<(), ApiError> {
    let Some(operations) = patch.as_array() else {
        return Err(ApiError::bad_request("a JSON patch is a list of operations"));
    };
    for operation in operations {
        one(target, operation).map_err(|why| ApiError::unprocessable(&why))?;
    }
    Ok(())
}

fn one(target: &mut Value, operation: &Value) -> Result<(), String> {
    let path = object::text(operation, "/path");
    let from = object::text(operation, "/from");
    let value = || operation.get("value").cloned().ok_or_else(|| format!("{path}: the operation has no value"));
    match object::text(operation, "/op") {
        "add" => add(target, path, value()?),
        "remove" => remove(target, path).map(|_| ()),
        "replace" => {
            let slot = target
                .pointer_mut(path)
                .ok_or_else(|| format!("replace operation does not apply: doc is missing path: {path}"))?;
            *slot = value()?;
            Ok(())
        }
        "test" if target.pointer(path) == Some(&value()?) => Ok(()),
        "test" => Err(format!("testing value {path} failed")),
        "move" => {
            let value = remove(target, from)?;
            add(target, path, value)
        }
        "copy" => {
            let value = target.pointer(from).cloned().ok_or_else(|| format!("doc is missing from path: {from}"))?;
            add(target, path, value)
        }
        other => Err(format!("{other:?} is not an operation of JSON patch")),
    }
}

/// The parent of a pointer's place and the last token.
fn parent<'a>(target: &'a mut Value, path: &str) -> Result<(&'a mut Value, String), String> {
    let (parent, last) = path.rsplit_once('/').ok_or_else(|| format!("{path:?} is not a JSON pointer"))?;
    let parent = target.pointer_mut(parent).ok_or_else(|| format!("doc is missing path: {path}"))?;
    Ok((parent, last.replace("~1", "/").replace("~0", "~")))
}

fn add(target: &mut Value, path: &str, value: Value) -> Result<(), String> {
    if path.is_empty() {
        *target = value;
        return Ok(());
    }
    match parent(target, path)? {
        (Value::Object(map), field) => {
            map.insert(field, value);
            Ok(())
        }
        (Value::Array(list), index) => {
            let index = if index == "-" { list.len() } else { index.parse().unwrap_or(usize::MAX) };
            if index > list.len() {
                return Err(format!("{path}: no such index"));
            }
            list.insert(index, value);
            Ok(())
        }
        _ => Err(format!("doc is missing path: {path}")),
    }
}

fn remove(target: &mut Value, path: &str) -> Result<Value, String> {
    let missing = || format!("remove operation does not apply: doc is missing path: {path}");
    match parent(target, path)? {
        (Value::Object(map), field) => map.shift_remove(&field).ok_or_else(missing),
        (Value::Array(list), index) => match index.parse::<usize>() {
            Ok(index) if index < list.len() => Ok(list.remove(index)),
            _ => Err(missing()),
        },
        _ => Err(missing()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn carries_out_operations_in_order() {
        let mut target = json!({ "a": { "b/c": 1 }, "list": [1, 3] });
        let patch = json!([
            { "op": "test", "path": "/a/b~1c", "value": 1 },
            { "op": "replace", "path": "/a/b~1c", "value": 2 },
            { "op": "add", "path": "/list/1", "value": 2 },
            { "op": "add", "path": "/list/-", "value": 4 },
            { "op": "move", "from": "/a", "path": "/z" },
            { "op": "copy", "from": "/list", "path": "/copy" },
            { "op": "remove", "path": "/list/0" },
        ]);
        run(&mut target, &patch).unwrap();
        assert_eq!(target, json!({ "list": [2, 3, 4], "z": { "b/c": 2 }, "copy": [1, 2, 3, 4] }));
    }

    #[test]
    fn refuses_what_does_not_apply() {
        for operation in [
            json!({ "op": "test", "path": "/a", "value": 2 }),
            json!({ "op": "remove", "path": "/missing" }),
            json!({ "op": "replace", "path": "/missing", "value": 1 }),
            json!({ "op": "add", "path": "/list/9", "value": 1 }),
            json!({ "op": "frobnicate", "path": "/a" }),
        ] {
            let mut target = json!({ "a": 1, "list": [] });
            assert!(run(&mut target, &json!([operation])).is_err());
        }
    }
}
