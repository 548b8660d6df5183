//! Writing: create, update, patch and delete, with conflicts, generations and the status kept apart.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{ApiError, Call, ListQuery, Reply, Target, Verb, bump_generation, new_metadata, scale, validate};
use crate::testing::{
    catalog::ResourceType,
    object,
    patch::{self, PatchKind},
    state::State,
    store::Key,
};

/// The parts of a call that writes.
struct Write<'a> {
    call: &'a Call,
    resource: &'a Arc<ResourceType>,
    namespace: &'a str,
    name: &'a str,
    subresource: Option<&'a str>,
}

impl Write<'_> {
    fn key(&self) -> Key {
        Key::new(self.resource.qualified(), self.namespace, self.name)
    }
}

impl State {
    /// Carries out a write. The effect is recorded when the write was accepted and is not a dry run.
    pub(crate) fn write(&mut self, call: &Call) -> Result<Reply, ApiError> {
        let Target::Objects { resource, namespace, name, subresource } = &call.target else {
            return Err(match &call.target {
                Target::Document(_) | Target::Health => ApiError::method_not_allowed(call.verb.as_str(), &call.path),
                _ => ApiError::not_served(call.verb.as_str(), &call.path),
            });
        };
        let write = Write {
            call,
            resource,
            namespace: namespace.as_deref().unwrap_or_default(),
            name: name.as_deref().unwrap_or_default(),
            subresource: subresource.as_deref(),
        };
        let served = match write.subresource {
            None => true,
            Some("status") => resource.status && matches!(call.verb, Verb::Update | Verb::Patch),
            Some("scale") => resource.scale && matches!(call.verb, Verb::Update | Verb::Patch),
            Some(_) => false,
        };
        if !served {
            return Err(ApiError::not_served(call.verb.as_str(), &call.path));
        }
        if resource.namespaced && namespace.is_none() {
            return Err(ApiError::method_not_allowed(call.verb.as_str(), resource.plural));
        }
        let reply = match call.verb {
            Verb::Create if write.name.is_empty() => self.create(&write, call.json()?)?,
            Verb::Update if !write.name.is_empty() => self.update(&write)?,
            Verb::Patch if !write.name.is_empty() => self.patch(&write)?,
            Verb::Delete => self.delete(&write)?,
            Verb::DeleteCollection => self.delete_collection(&write)?,
            _ => return Err(ApiError::method_not_allowed(call.verb.as_str(), resource.plural)),
        };
        if !call.dry_run() {
            let name = match write.name {
                "" => object::text(&reply.body, "/metadata/name"),
                name => name,
            };
            let subject = [write.namespace, name].into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("/");
            self.record_effect(&call.operation(), &subject);
        }
        Ok(reply)
    }

    fn create(&mut self, write: &Write<'_>, mut new: Value) -> Result<Reply, ApiError> {
        let resource = write.resource;
        expect_kind(resource, &new)?;
        if object::text(&new, "/metadata/name").is_empty() {
            let prefix = object::text(&new, "/metadata/generateName").to_owned();
            if prefix.is_empty() {
                return Err(ApiError::invalid(
                    resource,
                    "",
                    "metadata.name",
                    "Required value: name or generateName is required",
                ));
            }
            let name = format!("{prefix}{}", self.next_suffix());
            object::set(&mut new, &["metadata", "name"], json!(name));
        }
        if !object::text(&new, "/metadata/resourceVersion").is_empty() {
            return Err(ApiError::bad_request("resourceVersion should not be set on objects to be created"));
        }
        let name = object::text(&new, "/metadata/name").to_owned();
        self.place(write, &mut new)?;
        let key = Key::new(resource.qualified(), write.namespace, &name);
        if self.store.get(&key).is_some() {
            return Err(ApiError::already_exists(resource, &name));
        }
        if resource.status {
            object::unset(&mut new, &["status"]);
        }
        object::unset(&mut new, &["metadata", "deletionTimestamp"]);
        object::unset(&mut new, &["metadata", "managedFields"]);
        validate::set_defaults(resource, &mut new);
        validate::validate(resource, &new)?;
        new_metadata(self, resource, &mut new);
        let owner = self.owner(write);
        patch::record_update(&owner, &Value::Null, &mut new);
        let stored = if write.call.dry_run() { Arc::new(new) } else { self.put_by_client(&key, new) };
        Ok(Reply { code: 201, body: Value::clone(&stored) })
    }

    /// Puts an object into the namespace of its path, which must exist.
    fn place(&self, write: &Write<'_>, new: &mut Value) -> Result<(), ApiError> {
        if !write.resource.namespaced {
            object::unset(new, &["metadata", "namespace"]);
            return Ok(());
        }
        let named = object::text(new, "/metadata/namespace");
        if !named.is_empty() && named != write.namespace {
            return Err(ApiError::bad_request(format!(
                "the namespace of the provided object does not match the namespace sent on the request ({named} and {})",
                write.namespace
            )));
        }
        if self.store.get(&Key::new("namespaces", "", write.namespace)).is_none()
            && let Some(namespaces) = self.catalog.by_qualified("namespaces")
        {
            return Err(ApiError::not_found(namespaces, write.namespace));
        }
        object::set(new, &["metadata", "namespace"], json!(write.namespace));
        Ok(())
    }

    fn update(&mut self, write: &Write<'_>) -> Result<Reply, ApiError> {
        let before = self.store.get(&write.key()).ok_or_else(|| ApiError::not_found(write.resource, write.name))?;
        let sent = write.call.json()?;
        let version = object::text(&sent, "/metadata/resourceVersion");
        if !version.is_empty() && version != object::text(&before, "/metadata/resourceVersion") {
            return Err(ApiError::stale(write.resource, write.name));
        }
        // Leases and custom resources allow no update that does not say what it updates.
        if version.is_empty() && (write.resource.plural == "leases" || !write.resource.built_in) {
            let why = "Invalid value: 0x0: must be specified for an update";
            return Err(ApiError::invalid(write.resource, write.name, "metadata.resourceVersion", why));
        }
        if write.subresource == Some("scale") {
            let after = scale::with_scale(write.resource, &before, &sent)?;
            let stored = self.replace(write, &before, after)?;
            return Ok(Reply::ok(scale::scale_of(&stored)));
        }
        expect_kind(write.resource, &sent)?;
        if object::text(&sent, "/metadata/name") != write.name {
            return Err(ApiError::bad_request("the name of the object does not match the name on the URL"));
        }
        let uid = object::text(&sent, "/metadata/uid");
        if !uid.is_empty() && uid != object::text(&before, "/metadata/uid") {
            return Err(ApiError::stale(write.resource, write.name));
        }
        let stored = self.replace(write, &before, sent)?;
        Ok(Reply::ok(Value::clone(&stored)))
    }

    fn patch(&mut self, write: &Write<'_>) -> Result<Reply, ApiError> {
        let kind = PatchKind::of(write.call.content_type(), write.resource.built_in)?;
        let found = self.store.get(&write.key());
        if kind == PatchKind::Apply {
            return self.apply(write, found.as_deref());
        }
        let before = found.ok_or_else(|| ApiError::not_found(write.resource, write.name))?;
        let document = write.call.json()?;
        let on_scale = write.subresource == Some("scale");
        let base = if on_scale { scale::scale_of(&before) } else { Value::clone(&before) };
        let patched = kind.run(&base, &document)?;
        let version = object::text(&patched, "/metadata/resourceVersion");
        if version != object::text(&before, "/metadata/resourceVersion") {
            return Err(ApiError::stale(write.resource, write.name));
        }
        let uid = object::text(&patched, "/metadata/uid");
        if uid != object::text(&before, "/metadata/uid") {
            return Err(ApiError::stale(write.resource, write.name));
        }
        if object::text(&patched, "/metadata/name") != write.name {
            return Err(ApiError::bad_request("the name of the object does not match the name on the URL"));
        }
        let after = if on_scale { scale::with_scale(write.resource, &before, &patched)? } else { patched };
        let stored = self.replace(write, &before, after)?;
        Ok(Reply::ok(if on_scale { scale::scale_of(&stored) } else { Value::clone(&stored) }))
    }

    /// Server-side apply: creates or merges, by who owns which field.
    fn apply(&mut self, write: &Write<'_>, before: Option<&Value>) -> Result<Reply, ApiError> {
        if write.call.param("fieldManager").is_empty() {
            return Err(ApiError::bad_request(
                "PatchOptions.meta.k8s.io \"\" is invalid: fieldManager: Required value: is required for apply patch",
            ));
        }
        let mut applied = write.call.json()?;
        expect_kind(write.resource, &applied)?;
        object::set(&mut applied, &["metadata", "name"], json!(write.name));
        let owner = self.owner(write);
        let force = write.call.param("force") == "true";
        let Some(before) = before else {
            if write.subresource.is_some() {
                return Err(ApiError::not_found(write.resource, write.name));
            }
            let mut new = applied.clone();
            self.place(write, &mut new)?;
            if write.resource.status {
                object::unset(&mut new, &["status"]);
            }
            patch::apply(&owner, None, &applied, force, &mut new)?;
            validate::set_defaults(write.resource, &mut new);
            validate::validate(write.resource, &new)?;
            new_metadata(self, write.resource, &mut new);
            let stored = if write.call.dry_run() { Arc::new(new) } else { self.put_by_client(&write.key(), new) };
            return Ok(Reply { code: 201, body: Value::clone(&stored) });
        };
        let version = object::text(&applied, "/metadata/resourceVersion");
        if !version.is_empty() && version != object::text(before, "/metadata/resourceVersion") {
            return Err(ApiError::stale(write.resource, write.name));
        }
        let on_scale = write.subresource == Some("scale");
        if on_scale {
            let replicas = applied.pointer("/spec/replicas").cloned().unwrap_or(Value::Null);
            applied = json!({ "spec": { "replicas": replicas } });
        }
        let mut after = before.clone();
        patch::apply(&owner, Some(before), &applied, force, &mut after)?;
        let stored = self.finish(write, before, after)?;
        Ok(Reply::ok(if on_scale { scale::scale_of(&stored) } else { Value::clone(&stored) }))
    }

    /// Stores what an update or a patch made of an object, and notes who now owns the changed fields.
    fn replace(&mut self, write: &Write<'_>, before: &Value, mut after: Value) -> Result<Arc<Value>, ApiError> {
        match before.pointer("/metadata/managedFields") {
            Some(fields) => object::set(&mut after, &["metadata", "managedFields"], fields.clone()),
            None => object::unset(&mut after, &["metadata", "managedFields"]),
        }
        self.keep_apart(write, before, &mut after);
        let owner = self.owner(write);
        patch::record_update(&owner, before, &mut after);
        self.finish(write, before, after)
    }

    /// Status is written through `/status` only, and nothing else is, where the kind has that subresource.
    fn keep_apart(&self, write: &Write<'_>, before: &Value, after: &mut Value) {
        if write.subresource == Some("status") {
            let mut merged = before.clone();
            object::copy_field(after, &mut merged, "status");
            if let Some(fields) = after.pointer("/metadata/managedFields") {
                object::set(&mut merged, &["metadata", "managedFields"], fields.clone());
            }
            *after = merged;
        } else if write.resource.status {
            object::copy_field(before, after, "status");
        }
    }

    fn finish(&mut self, write: &Write<'_>, before: &Value, mut after: Value) -> Result<Arc<Value>, ApiError> {
        Self::keep_metadata(write.resource, before, &mut after);
        self.keep_apart(write, before, &mut after);
        validate::set_defaults(write.resource, &mut after);
        bump_generation(write.resource, before, &mut after);
        validate::validate(write.resource, &after)?;
        let selector = |object: &Value| object.pointer("/spec/selector").cloned();
        if write.resource.group == "apps" && selector(before) != selector(&after) {
            return Err(ApiError::invalid(
                write.resource,
                write.name,
                "spec.selector",
                "Invalid value: field is immutable",
            ));
        }
        if write.call.dry_run() {
            return Ok(Arc::new(after));
        }
        let unchanged = {
            let bare = |object: &Value| {
                let mut object = object.clone();
                object::unset(&mut object, &["metadata", "managedFields"]);
                object
            };
            bare(before) == bare(&after)
        };
        if unchanged {
            return Ok(Arc::new(before.clone()));
        }
        let key = write.key();
        let leaving = !object::text(&after, "/metadata/deletionTimestamp").is_empty()
            && object::items(&after, "/metadata/finalizers").is_empty();
        let stored = self.put_by_client(&key, after);
        if leaving {
            self.remove_with_dependents(&key, true);
        }
        Ok(stored)
    }

    fn delete(&mut self, write: &Write<'_>) -> Result<Reply, ApiError> {
        let key = write.key();
        let before = self.store.get(&key).ok_or_else(|| ApiError::not_found(write.resource, write.name))?;
        let options = if write.call.body.is_empty() { json!({}) } else { write.call.json()? };
        for (field, why) in [("uid", "UID"), ("resourceVersion", "ResourceVersion")] {
            let wanted = object::text(&options, &format!("/preconditions/{field}"));
            let found = object::text(&before, &format!("/metadata/{field}"));
            if !wanted.is_empty() && wanted != found {
                let why =
                    format!("Precondition failed: {why} in precondition: {wanted}, {why} in object meta: {found}");
                return Err(ApiError::conflict(write.resource, write.name, &why));
            }
        }
        let uid = object::text(&before, "/metadata/uid").to_owned();
        let policy = match object::text(&options, "/propagationPolicy") {
            "" => write.call.param("propagationPolicy"),
            policy => policy,
        };
        if !write.call.dry_run() {
            self.delete_object(&key, &before, policy != "Orphan");
        }
        Ok(Reply::ok(json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
            "details": { "name": write.name, "group": write.resource.group, "kind": write.resource.plural, "uid": uid },
        })))
    }

    fn delete_object(&mut self, key: &Key, before: &Value, cascade: bool) {
        if object::items(before, "/metadata/finalizers").is_empty() {
            self.remove_with_dependents(key, cascade);
        } else if object::text(before, "/metadata/deletionTimestamp").is_empty() {
            let mut leaving = before.clone();
            object::set(&mut leaving, &["metadata", "deletionTimestamp"], json!(self.wall_text()));
            self.put_by_client(key, leaving);
        }
    }

    fn delete_collection(&mut self, write: &Write<'_>) -> Result<Reply, ApiError> {
        let query = ListQuery::new(write.call)?;
        let found = query.select(self.store.now());
        if !write.call.dry_run() {
            for (key, object) in &found {
                self.delete_object(key, object, true);
            }
        }
        let objects: Vec<Value> = found.iter().map(|(_, object)| Value::clone(object)).collect();
        Ok(Reply::ok(json!({
            "kind": format!("{}List", write.resource.kind), "apiVersion": write.resource.api_version(),
            "metadata": { "resourceVersion": self.store.version().to_string() }, "items": objects,
        })))
    }

    fn owner(&self, write: &Write<'_>) -> patch::Owner {
        patch::Owner {
            manager: write.call.manager(),
            api_version: write.resource.api_version(),
            subresource: write.subresource.map(str::to_owned),
            time: self.wall_text(),
        }
    }
}

fn expect_kind(resource: &ResourceType, object: &Value) -> Result<(), ApiError> {
    let (version, kind) = (object::text(object, "/apiVersion"), object::text(object, "/kind"));
    let wanted = resource.api_version();
    if (version.is_empty() || version == wanted) && (kind.is_empty() || kind == resource.kind) && object.is_object() {
        return Ok(());
    }
    Err(ApiError::bad_request(format!(
        "{kind} in version {version:?} cannot be handled as a {} in version {wanted:?}",
        resource.kind
    )))
}
