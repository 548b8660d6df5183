//! The planner: a goal, a topology and what the drivers saw, into a [`Plan`](crate::plan::Plan). Pure.

mod before;
mod draft;
mod edges;
mod planner;
#[cfg(test)]
mod tests;

pub use before::{BeforeImage, BeforeImages};
pub use draft::PlanDraft;
pub use planner::{PlanError, PlanOptions, Planner, survey};
