//! The stages of `cargo xtask test`, in the order in which they run: the cheap ones that fail often come first.

mod beside;
mod closing;
mod context;
mod crash;
mod deps;
mod dig;
mod foreign;
mod kubectl;
mod papers;
mod python;
mod runner;
mod rust;
mod schema;
mod sim;

pub(crate) use context::Context;
pub(crate) use runner::{Selection, find, list, names, run};
pub(crate) use sim::by_hand as simulate;

use crate::run::Failure;

/// One stage.
#[derive(Debug)]
pub(crate) struct Stage {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it does, in a line.
    pub(crate) about: &'static str,
    /// The stage beside which this one begins already, at the lowest priority, to use the time for which that one waits; it
    /// is told in its own turn. It shares neither files nor a build with the stages until then.
    beside: Option<&'static str>,
    run: fn(&mut Context<'_>) -> Result<Outcome, Failure>,
}

impl Stage {
    const fn new(
        name: &'static str,
        about: &'static str,
        run: fn(&mut Context<'_>) -> Result<Outcome, Failure>,
    ) -> Self {
        Self { name, about, beside: None, run }
    }

    const fn beside(mut self, stage: &'static str) -> Self {
        self.beside = Some(stage);
        self
    }
}

/// How a stage that did not fail ended.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// A remark, such as what was found or why nothing was done; empty when there is nothing to say.
    note: String,
    /// The closing lines of the test runners, word for word.
    closing: Vec<String>,
}

impl Outcome {
    fn noted(note: impl Into<String>) -> Self {
        Self { note: note.into(), closing: Vec::new() }
    }
}

/// All stages. Those that kill processes and that simulate have a build of their own and want nothing but processors: they
/// take what the builds leave, and the time for which the drills among the tests wait.
const STAGES: &[Stage] = &[
    Stage::new("fmt", "the sources are formatted (cargo fmt)", rust::fmt),
    Stage::new(
        "deps",
        "dr-core stays free of network and clouds; one TLS provider; licences, bans, sources (deny.toml)",
        deps::run,
    ),
    Stage::new("papers", "links in the documentation lead somewhere, and the rooms it names exist", papers::run),
    Stage::new("clippy", "clippy on every target with all features, warnings denied", rust::clippy),
    Stage::new("rustdoc", "the documentation builds, warnings denied", rust::rustdoc),
    Stage::new("foreign", "boto3, the AWS CLI, kubectl, dig and moto are at hand for the tests", foreign::run),
    Stage::new("test", "every Rust test of the workspace (nextest if installed)", rust::test),
    Stage::new("doctest", "the examples in the documentation run", rust::doctest),
    Stage::new("schema", "dr.schema.json is what the types say", schema::run),
    Stage::new("python", "the Python package builds with maturin and passes pytest and stubtest", python::run),
    Stage::new(
        "faults",
        "every remote call of a drill meets every fault, and the drill comes to the same end",
        crash::faults,
    ),
    Stage::new(
        "crash",
        "processes are killed at every write of the journal, and again while they recover: 10,000 pairs",
        crash::run,
    )
    .beside("clippy"),
    Stage::new(
        "sim",
        "100,000 seeds of the simulation keep every promise, and every wrong engine is noticed",
        sim::run,
    )
    .beside("clippy"),
];
