//! The commands people type in this repository: `test`, `bench`, `mutants`, `fuzz`, `docs`.
//!
//! Only the standard library and `serde_json`, so that the first command in a fresh clone starts within seconds.

mod bench;
mod cli;
mod deny;
mod docs;
mod fuzz;
mod mutants;
mod run;
mod stage;
mod venv;
mod workspace;

use std::process::ExitCode;

use cli::Command;
use workspace::Workspace;

/// Exit code for a command line that was not understood (`EX_USAGE` of sysexits.h).
const USAGE: u8 = 64;

fn main() -> ExitCode {
    let command = match cli::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(problem) => {
            eprintln!("{problem}\n\n{}", cli::HELP);
            return ExitCode::from(USAGE);
        }
    };
    let workspace = match Workspace::find() {
        Ok(workspace) => workspace,
        Err(failure) => return report(Err(failure)),
    };
    report(match command {
        Command::Help(text) => {
            println!("{text}");
            Ok(())
        }
        Command::Test(selection) => stage::run(&workspace, &selection),
        Command::ListStages => {
            stage::list();
            Ok(())
        }
        Command::Bench { name, json, check } => bench::run(&workspace, name.as_deref(), json, check),
        Command::Mutants { part, shard } => mutants::run(&workspace, part, shard.as_deref()),
        Command::MutantsReport => mutants::report(&workspace),
        Command::Fuzz { name, minutes } => fuzz::run(&workspace, &name, minutes),
        Command::Sim(args) => stage::simulate(&workspace, &args),
        Command::Docs { check } => docs::run(&workspace, check),
    })
}

fn report(outcome: Result<(), run::Failure>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprint!("{failure}");
            ExitCode::FAILURE
        }
    }
}
