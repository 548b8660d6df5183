//! One engine's work on one run: it decides, writes down, lets attempts be made, and listens.

mod attempts;
mod check;
mod people;
mod runner;
mod writing;

pub(super) use check::check_steps;
pub(super) use runner::Runner;
