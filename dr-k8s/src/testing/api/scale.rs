//! The `/scale` subresource: a view of `spec.replicas` that is the same for every kind that has it.

use serde_json::{Value, json};

use super::ApiError;
use crate::testing::{catalog::ResourceType, object};

/// The `Scale` of an object.
pub(crate) fn scale_of(object: &Value) -> Value {
    let selector: Vec<String> =
        object::text_map(object, "/spec/selector/matchLabels").iter().map(|(k, v)| format!("{k}={v}")).collect();
    let field = |pointer: &str| object.pointer(pointer).cloned().unwrap_or(Value::Null);
    json!({
        "kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {
            "name": field("/metadata/name"), "namespace": field("/metadata/namespace"), "uid": field("/metadata/uid"),
            "resourceVersion": field("/metadata/resourceVersion"),
            "creationTimestamp": field("/metadata/creationTimestamp"),
        },
        "spec": { "replicas": object::number(object, "/spec/replicas", 0) },
        "status": { "replicas": object::number(object, "/status/replicas", 0), "selector": selector.join(",") },
    })
}

/// The object with the replica count that a `Scale` asks for.
pub(crate) fn with_scale(resource: &ResourceType, object: &Value, scale: &Value) -> Result<Value, ApiError> {
    let name = object::text(object, "/metadata/name");
    let replicas = match scale.pointer("/spec/replicas") {
        None | Some(Value::Null) => 0,
        Some(value) => value.as_i64().ok_or_else(|| {
            ApiError::bad_request(format!(
                "Scale in version \"v1\" cannot be handled as a Scale: spec.replicas: {value}"
            ))
        })?,
    };
    if replicas < 0 {
        let why = format!("Invalid value: {replicas}: must be greater than or equal to 0");
        return Err(ApiError::invalid(resource, name, "spec.replicas", &why));
    }
    let mut object = object.clone();
    object::set(&mut object, &["spec", "replicas"], json!(replicas));
    Ok(object)
}
