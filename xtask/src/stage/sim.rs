//! The simulation: seeds, and engines that are wrong on purpose, with a build of its own that is made for speed.

use std::process::Command;

use super::{Context, Outcome, crash};
use crate::{
    run::{Failure, capture},
    workspace::Workspace,
};

/// How many seeds a test runs.
const SEEDS: &str = "100000";
/// How many seeds a wrong engine is given before it counts as alive.
const MUTANT_SEEDS: &str = "20000";

pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("build");
    context.run(cargo.args(crash::FAST).args(["--bin", "sim"]), "the simulation does not build")?;
    let mut mutants = program(context.workspace);
    let killed = context.run(mutants.args(["--mutants", "--seeds", MUTANT_SEEDS]), "a wrong engine was not noticed")?;
    let mut seeds = program(context.workspace);
    let passed = context.run(seeds.args(["--seeds", SEEDS]), "a seed broke a promise")?;
    let last = |lines: &[String]| lines.last().cloned().unwrap_or_default();
    let closing = vec![format!("mutants: {}", last(&killed.lines)), format!("seeds: {}", last(&passed.lines))];
    Ok(Outcome { note: String::new(), closing })
}

/// Builds the simulation and runs it with these arguments, in the terminal.
///
/// # Errors
///
/// When it does not build, or a seed fails.
pub(crate) fn by_hand(workspace: &Workspace, args: &[String]) -> Result<(), Failure> {
    let cannot = |error| Failure::new(format!("cannot start the simulation: {error}"));
    if !build(workspace).status().map_err(cannot)?.success() {
        return Err(Failure::new("the simulation does not build"));
    }
    if !program(workspace).args(args).status().map_err(cannot)?.success() {
        return Err(Failure::new("a seed broke a promise"));
    }
    Ok(())
}

/// By hand without the features that the simulation does not need: their C libraries take longer to build than all seeds
/// to run.
fn build(workspace: &Workspace) -> Command {
    let mut cargo = workspace.cargo("build");
    cargo.args(["--profile", "sim", "--locked", "--package", "dr-core", "--bin", "sim"]);
    cargo.args(["--no-default-features", "--features", "sim"]);
    cargo
}

fn program(workspace: &Workspace) -> Command {
    let mut program = workspace.command(workspace.target("sim/sim"));
    let mut git = workspace.command("git");
    // Outside a clone there is no commit to name.
    if let Ok(commit) = capture(git.args(["rev-parse", "--short", "HEAD"])) {
        program.env("DR_COMMIT", commit.trim());
    }
    program
}
