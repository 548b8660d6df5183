//! The shape of an application over its regions: who is what, and what comes before what.
//!
//! A [`Topology`] is built from a [`Spec`](crate::spec::Spec) by a pure function; planner and lint read it.

mod build;
mod order;
#[cfg(test)]
mod tests;

pub use build::{InvalidTopology, Topology};
pub(crate) use order::{Cycle, dependency_order};
