//! Errors as the API server words them: a `Status` object.

use serde_json::{Value, json};

use crate::testing::{catalog::ResourceType, store::Expired};

/// A failed call. The codes, reasons and messages are those of `k8s.io/apimachinery/pkg/api/errors`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ApiError {
    pub(crate) code: u16,
    reason: &'static str,
    pub(crate) message: String,
    details: Option<Box<Value>>,
    /// Seconds, for the `Retry-After` header.
    pub(crate) retry_after: Option<u32>,
}

impl ApiError {
    fn new(code: u16, reason: &'static str, message: impl Into<String>) -> Self {
        Self { code, reason, message: message.into(), details: None, retry_after: None }
    }

    fn about(mut self, resource: &ResourceType, name: &str) -> Self {
        self.details = Some(Box::new(json!({ "name": name, "group": resource.group, "kind": resource.plural })));
        self
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(400, "BadRequest", message)
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(401, "Unauthorized", "Unauthorized")
    }

    pub(crate) fn not_found(resource: &ResourceType, name: &str) -> Self {
        let message = format!("{} {name:?} not found", resource.qualified());
        Self::new(404, "NotFound", message).about(resource, name)
    }

    /// A path that this double does not serve, by verb and path.
    pub(crate) fn not_served(verb: &str, path: &str) -> Self {
        let message =
            format!("the server could not find the requested resource (the double does not serve {verb} {path})");
        Self::new(404, "NotFound", message)
    }

    /// A verb that this double does not serve on a resource that it does.
    pub(crate) fn method_not_allowed(verb: &str, resource: &str) -> Self {
        let message = format!(
            "the server does not allow this method on the requested resource (the double does not serve {verb} {resource})"
        );
        Self::new(405, "MethodNotAllowed", message)
    }

    pub(crate) fn already_exists(resource: &ResourceType, name: &str) -> Self {
        let message = format!("{} {name:?} already exists", resource.qualified());
        Self::new(409, "AlreadyExists", message).about(resource, name)
    }

    pub(crate) fn conflict(resource: &ResourceType, name: &str, why: &str) -> Self {
        let message = format!("Operation cannot be fulfilled on {} {name:?}: {why}", resource.qualified());
        Self::new(409, "Conflict", message).about(resource, name)
    }

    /// A write at a version that is no longer the latest.
    pub(crate) fn stale(resource: &ResourceType, name: &str) -> Self {
        let why = "the object has been modified; please apply your changes to the latest version and try again";
        Self::conflict(resource, name, why)
    }

    /// Server-side apply met fields that others own: manager and field, for each.
    pub(crate) fn apply_conflict(conflicts: &[(String, String)]) -> Self {
        let list: Vec<String> = conflicts.iter().map(|(m, f)| format!("conflict with {m:?}: {f}")).collect();
        let noun = if conflicts.len() == 1 { "conflict" } else { "conflicts" };
        let message = format!("Apply failed with {} {noun}: {}", conflicts.len(), list.join(", "));
        let causes: Vec<Value> = conflicts
            .iter()
            .map(|(manager, field)| {
                json!({
                    "reason": "FieldManagerConflict", "message": format!("conflict with {manager:?}"), "field": field,
                })
            })
            .collect();
        let mut this = Self::new(409, "Conflict", message);
        this.details = Some(Box::new(json!({ "causes": causes })));
        this
    }

    pub(crate) fn expired(expired: Expired, asked: u64) -> Self {
        Self::new(410, "Expired", format!("too old resource version: {asked} ({})", expired.oldest))
    }

    pub(crate) fn unsupported_media_type(message: impl Into<String>) -> Self {
        Self::new(415, "UnsupportedMediaType", message)
    }

    /// An object that breaks the rules of its kind; `field` and `why` as validation words them.
    pub(crate) fn invalid(resource: &ResourceType, name: &str, field: &str, why: &str) -> Self {
        let message = format!("{} {name:?} is invalid: {field}: {why}", resource.qualified_kind());
        let mut this = Self::new(422, "Invalid", message).about(resource, name);
        if let Some(details) = &mut this.details {
            crate::testing::object::set(
                details,
                &["causes"],
                json!([{ "reason": "FieldValueInvalid", "field": field, "message": why }]),
            );
        }
        this
    }

    /// A JSON patch that does not apply, its `test`s included. The reason stands in a cause that names no field.
    pub(crate) fn unprocessable(why: &str) -> Self {
        let mut this = Self::new(422, "Invalid", "the server rejected our request due to an error in our request");
        this.details = Some(Box::new(json!({ "causes": [{ "reason": "UnexpectedServerResponse", "message": why }] })));
        this
    }

    pub(crate) fn too_many_requests() -> Self {
        let mut this = Self::new(429, "TooManyRequests", "Too many requests, please try again later.");
        this.details = Some(Box::new(json!({ "retryAfterSeconds": 1 })));
        this.retry_after = Some(1);
        this
    }

    pub(crate) fn unavailable() -> Self {
        Self::new(503, "ServiceUnavailable", "the server is currently unable to handle the request")
    }

    /// The `Status` object to answer with.
    pub(crate) fn status(&self) -> Value {
        let mut status = json!({
            "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
            "message": self.message, "reason": self.reason, "code": self.code,
        });
        if let Some(details) = &self.details {
            crate::testing::object::set(&mut status, &["details"], Value::clone(details));
        }
        status
    }
}
