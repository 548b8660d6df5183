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
    /// The same, where what `earlier` changed stood as `earlier` found it: a run that finds a step done by another sees what
    /// that one made, and not what was there before.
    #[must_use]
    pub fn preceded_by(mut self, earlier: &Self) -> Self {
        for image in &mut self.0 {
            if let Some(first) = earlier.0.iter().find(|first| first.step == image.step && first.kind == image.kind) {
                image.before = first.before.clone();
            }
        }
        self
    }

    /// What the earlier run changed of a resource, in the order it did so.
    pub fn of<'a>(&'a self, resource: &'a ResourceId) -> impl Iterator<Item = &'a BeforeImage> {
        self.0.iter().filter(move |image| image.resource.as_ref() == Some(resource))
    }
}
