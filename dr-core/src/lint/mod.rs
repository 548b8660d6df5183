//! Rules that a plan must keep before it runs: static stability, the order of data and traffic, the right endpoints.
//!
//! [`lint`] is a pure function of a plan, the topology and what the drivers surveyed. Each rule has a number, a name, a
//! severity and a remedy; a broken one becomes a [`Finding`](crate::validation::Finding) about a step, a resource or the
//! plan. Errors block a plan; warnings need a [`Waiver`](crate::spec::Waiver), which is recorded with the run.
//!
//! Numbers are those of the project's list of 43 rules, so that a report, a waiver and the documentation agree; the
//! gaps are rules to come.

mod graph;
mod input;
mod operation;
mod registry;
mod report;
mod rule;
mod rules;
#[cfg(test)]
mod tests;

pub use input::LintInput;
pub use registry::{RuleRegistry, lint};
pub use report::{RefusedWaiver, Report, WaivedFinding};
pub use rule::Rule;
