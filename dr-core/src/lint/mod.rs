//! Rules that a plan must keep before it runs: static stability, the order of data and traffic, the right endpoints.
//!
//! [`lint`] is a pure function of a plan, the topology and what the drivers surveyed. Each rule has a number, a name, a
//! severity and a remedy; a broken one becomes a [`Finding`](crate::validation::Finding) about a step, a resource or the
//! plan. Errors block a plan; warnings need a [`Waiver`](crate::spec::Waiver), which is recorded with the run.
//!
//! There are 43, whose numbers a report, a waiver and the documentation (`docs/lints.md`) share. A rule that needs a fact
//! which nobody saw says that it could not judge, as information; it guesses no error.

#[cfg(any(test, feature = "testing"))]
pub mod fixtures;
mod graph;
mod index;
mod info;
mod input;
mod operation;
mod registry;
mod report;
mod restore;
mod rule;
mod rules;
#[cfg(test)]
mod tests;

pub use info::RuleInfo;
pub use input::LintInput;
pub use registry::{RuleRegistry, lint};
pub use report::{RefusedWaiver, Report, WaivedFinding};
pub use rule::Rule;
