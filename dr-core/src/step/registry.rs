use std::{collections::BTreeMap, sync::Arc};

use super::DynStep;

/// Two steps claim one kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two steps are registered as {0:?}: give each its own KIND")]
pub struct DuplicateStep(pub String);

/// Every step that an engine can run, by kind: what it needs to resume a plan that another process began.
#[derive(Clone, Debug, Default)]
pub struct StepRegistry {
    steps: BTreeMap<String, Arc<dyn DynStep>>,
}

impl StepRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a step.
    ///
    /// # Errors
    ///
    /// [`DuplicateStep`] when its kind is taken.
    pub fn register(&mut self, step: Arc<dyn DynStep>) -> Result<(), DuplicateStep> {
        let kind = step.kind().to_owned();
        if self.steps.contains_key(&kind) {
            return Err(DuplicateStep(kind));
        }
        self.steps.insert(kind, step);
        Ok(())
    }

    /// The step of this kind.
    #[must_use]
    pub fn get(&self, kind: &str) -> Option<&Arc<dyn DynStep>> {
        self.steps.get(kind)
    }

    /// Every kind, in order.
    pub fn kinds(&self) -> impl Iterator<Item = &str> {
        self.steps.keys().map(String::as_str)
    }
}
