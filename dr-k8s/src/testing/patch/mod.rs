//! The four ways to patch an object, and the record of who owns which field.

mod apply;
mod json_patch;
mod merge;
mod strategic;

use serde_json::Value;

use super::api::ApiError;

pub(super) use apply::{Owner, apply, record_update};

/// How a patch is written, by its media type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PatchKind {
    /// RFC 6902.
    Json,
    /// RFC 7386.
    Merge,
    /// Kubernetes' merge with list keys; built-in kinds only.
    Strategic,
    /// Server-side apply.
    Apply,
}

impl PatchKind {
    pub(super) fn of(content_type: &str, built_in: bool) -> Result<Self, ApiError> {
        match content_type {
            "application/json-patch+json" => Ok(Self::Json),
            "application/merge-patch+json" => Ok(Self::Merge),
            "application/strategic-merge-patch+json" if built_in => Ok(Self::Strategic),
            // kube-rs and kubectl send JSON here, which is YAML too; YAML proper is not read.
            "application/apply-patch+yaml" => Ok(Self::Apply),
            other => Err(ApiError::unsupported_media_type(format!(
                "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml (not {other:?})"
            ))),
        }
    }

    /// The object that the patch makes of `base`. Server-side apply needs owners, and has its own way: [`apply`].
    pub(super) fn run(self, base: &Value, document: &Value) -> Result<Value, ApiError> {
        let mut patched = base.clone();
        match self {
            Self::Json => json_patch::run(&mut patched, document)?,
            Self::Merge | Self::Apply => merge::run(&mut patched, document),
            Self::Strategic => strategic::run(&mut patched, document),
        }
        Ok(patched)
    }
}
