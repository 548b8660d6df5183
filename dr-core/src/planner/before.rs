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
    /// The same after another run had changed things, which still stood: what this one found done is what that one had
    /// changed, and what both changed stood before as `earlier` found it.
    #[must_use]
    pub fn preceded_by(self, earlier: &Self) -> Self {
        let same = |one: &BeforeImage, two: &BeforeImage| one.step == two.step && one.kind == two.kind;
        let mut images = earlier.0.clone();
        images.extend(self.0.into_iter().filter(|image| !earlier.0.iter().any(|first| same(first, image))));
        Self(images)
    }

    /// What the earlier run changed of a resource, in the order it did so.
    pub fn of<'a>(&'a self, resource: &'a ResourceId) -> impl Iterator<Item = &'a BeforeImage> {
        self.0.iter().filter(move |image| image.resource.as_ref() == Some(resource))
    }
}
