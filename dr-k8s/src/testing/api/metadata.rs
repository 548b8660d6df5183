//! The part of an object that the server owns: identity, version, generation.

use serde_json::{Value, json};

use crate::testing::{catalog::ResourceType, object, state::State};

/// Gives a new object its uid, its time of creation and its first generation.
pub(crate) fn new_metadata(state: &mut State, resource: &ResourceType, object: &mut Value) {
    let uid = state.next_uid();
    object::set(object, &["metadata", "uid"], json!(uid));
    object::set(object, &["metadata", "creationTimestamp"], json!(state.wall_text()));
    if resource.generation {
        object::set(object, &["metadata", "generation"], json!(1));
    } else {
        object::unset(object, &["metadata", "generation"]);
    }
}

/// Raises the generation when the specification changed.
///
/// Built-in kinds count changes of `spec`; custom resources without a status subresource count every
/// change outside `metadata` (apiextensions-apiserver, `pkg/registry/customresource/strategy.go`).
pub(crate) fn bump_generation(resource: &ResourceType, before: &Value, after: &mut Value) {
    if !resource.generation {
        return;
    }
    let counted = |object: &Value| {
        let mut object = object.clone();
        object::unset(&mut object, &["metadata"]);
        if resource.status {
            object::unset(&mut object, &["status"]);
        }
        object
    };
    let old = object::number(before, "/metadata/generation", 1);
    let new = if counted(before) == counted(after) { old } else { old + 1 };
    object::set(after, &["metadata", "generation"], json!(new));
}

impl State {
    /// Carries over what a client cannot change, whatever it sent.
    pub(crate) fn keep_metadata(resource: &ResourceType, before: &Value, after: &mut Value) {
        for field in ["uid", "creationTimestamp", "name", "namespace", "resourceVersion", "deletionTimestamp"] {
            match before.pointer(&format!("/metadata/{field}")) {
                Some(value) => object::set(after, &["metadata", field], value.clone()),
                None => object::unset(after, &["metadata", field]),
            }
        }
        object::set(after, &["apiVersion"], json!(resource.api_version()));
        object::set(after, &["kind"], json!(resource.kind));
    }
}
