//! The stages of `cargo xtask test`, in the order in which they run: the cheap ones that fail often come first.

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
    run: fn(&mut Context<'_>) -> Result<Outcome, Failure>,
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

/// All stages.
const STAGES: &[Stage] = &[
    Stage { name: "fmt", about: "the sources are formatted (cargo fmt)", run: rust::fmt },
    Stage {
        name: "deps",
        about: "dr-core stays free of network and clouds; one TLS provider; licences, bans, sources (deny.toml)",
        run: deps::run,
    },
    Stage {
        name: "papers",
        about: "links in the documentation lead somewhere, and the rooms it names exist",
        run: papers::run,
    },
    Stage { name: "clippy", about: "clippy on every target with all features, warnings denied", run: rust::clippy },
    Stage { name: "rustdoc", about: "the documentation builds, warnings denied", run: rust::rustdoc },
    Stage {
        name: "foreign",
        about: "boto3, the AWS CLI, kubectl and dig are at hand for the tests",
        run: foreign::run,
    },
    Stage { name: "test", about: "every Rust test of the workspace (nextest if installed)", run: rust::test },
    Stage { name: "doctest", about: "the examples in the documentation run", run: rust::doctest },
    Stage {
        name: "crash",
        about: "processes are killed at every write of the journal, and again while they recover: 10,000 pairs",
        run: crash::run,
    },
    Stage {
        name: "faults",
        about: "every remote call of a drill meets every fault, and the drill comes to the same end",
        run: crash::faults,
    },
    Stage {
        name: "sim",
        about: "100,000 seeds of the simulation keep every promise, and every wrong engine is noticed",
        run: sim::run,
    },
    Stage { name: "schema", about: "dr.schema.json is what the types say", run: schema::run },
    Stage {
        name: "python",
        about: "the Python package builds with maturin and passes pytest and stubtest",
        run: python::run,
    },
];
