use std::{collections::BTreeMap, sync::Arc};

use super::Driver;
use crate::{
    model::ResourceKind,
    step::{DuplicateStep, StepRegistry},
};

/// Two drivers claim one kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("two drivers are registered for {0}: give each its own kind")]
pub struct DuplicateDriver(pub ResourceKind);

/// Every driver that a program has, by kind.
#[derive(Clone, Debug, Default)]
pub struct DriverRegistry {
    drivers: BTreeMap<ResourceKind, Arc<dyn Driver>>,
}

impl DriverRegistry {
    /// An empty registry.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a driver.
    ///
    /// # Errors
    ///
    /// [`DuplicateDriver`] when its kind is taken.
    pub fn register(&mut self, driver: Arc<dyn Driver>) -> Result<(), DuplicateDriver> {
        let kind = driver.kind();
        if self.drivers.contains_key(&kind) {
            return Err(DuplicateDriver(kind));
        }
        self.drivers.insert(kind, driver);
        Ok(())
    }

    /// The driver of this kind.
    #[must_use]
    pub fn get(&self, kind: &ResourceKind) -> Option<&Arc<dyn Driver>> {
        self.drivers.get(kind)
    }

    /// Every driver, by kind.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<dyn Driver>> {
        self.drivers.values()
    }

    /// Every step of every driver.
    ///
    /// # Errors
    ///
    /// [`DuplicateStep`] when two steps claim one kind.
    pub fn steps(&self) -> Result<StepRegistry, DuplicateStep> {
        let mut registry = StepRegistry::new();
        for step in self.drivers.values().flat_map(|driver| driver.steps()) {
            registry.register(step)?;
        }
        Ok(registry)
    }
}
