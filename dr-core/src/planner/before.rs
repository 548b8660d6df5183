use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::model::{ResourceId, StepId};

/// What stood before a step of an earlier run changed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BeforeImage {
    /// The step that changed it.
    pub step: StepId,
    /// That step's kind.
    pub kind: String,
    /// The resource it acted on.
    pub resource: Option<ResourceId>,
    /// The parameters it ran with, resolved.
    pub params: Value,
    /// What stood before, as the step captured it.
    pub before: Value,
}

/// Everything that an earlier run changed, from its journal: what a failback restores.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct BeforeImages(pub Vec<BeforeImage>);

impl BeforeImages {
    /// What the earlier run changed of a resource, in the order it did so.
    pub fn of<'a>(&'a self, resource: &'a ResourceId) -> impl Iterator<Item = &'a BeforeImage> {
        self.0.iter().filter(move |image| image.resource.as_ref() == Some(resource))
    }
}
