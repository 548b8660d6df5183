use std::{borrow::Cow, fmt};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ResourceId;

/// The kind of a resource, which names its driver: `aws.aurora_global`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
#[schemars(with = "String", inline)]
pub struct ResourceKind(Cow<'static, str>);

impl ResourceKind {
    /// A kind known when the program was written.
    #[must_use]
    pub const fn from_static(kind: &'static str) -> Self {
        Self(Cow::Borrowed(kind))
    }

    /// A kind read from a file.
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        Self(Cow::Owned(kind.into()))
    }

    /// The kind as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ResourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A resource of `dr.yaml`: a name, a kind, and the block that only its driver understands.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Resource {
    /// The name its author gave it.
    pub id: ResourceId,
    /// Which driver it belongs to.
    pub kind: ResourceKind,
    /// Resources whose steps come before this one's, within a phase.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub depends_on: Vec<ResourceId>,
    /// The driver's own block, already checked against the driver's schema.
    pub spec: serde_json::Value,
}
