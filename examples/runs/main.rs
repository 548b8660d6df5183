//! `runs`: lists, shows, follows and steers the runs of a journal, whichever process executes them.

mod checkpoints;
mod cli;
mod decisions;
mod exit;
mod show;
mod steer;
mod store;
mod verify;

use std::{io::Write as _, process::ExitCode};

use clap::{Parser as _, error::ErrorKind};

use crate::{
    cli::{Cli, Command},
    exit::{Exit, Stop},
    store::Store,
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A terminal that is gone does not change how the program ends.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { Exit::Usage.into() };
        }
    };
    match run(cli).await {
        Ok(()) => Exit::Done.into(),
        Err(stop) => {
            eprintln!("runs: {}", stop.message);
            stop.exit.into()
        }
    }
}

async fn run(cli: Cli) -> Result<(), Stop> {
    let store = Store::open(&cli).await?;
    match cli.command {
        Command::List { open } => show::list(&store, open).await,
        Command::Show { run } => show::show(&store, run.as_ref()).await,
        Command::Follow { run, after } => show::follow(&store, run.as_ref(), after).await,
        Command::Why { application, before } => decisions::why(&store, application, before).await,
        Command::Stop(about) => decisions::kill_switch(&store, about, true).await,
        Command::Start(about) => decisions::kill_switch(&store, about, false).await,
        Command::Yes(about) => decisions::answer(&store, about, true).await,
        Command::No(about) => decisions::answer(&store, about, false).await,
        Command::Acknowledge { run, about } => decisions::acknowledge(&store, about, run).await,
        Command::Checkpoint { run, key } => checkpoints::print(&store, run, &key).await,
        Command::Verify(what) => verify::verify(&store, what).await,
        Command::Export { run } => show::export(&store, run.as_ref()).await,
        Command::Pause(by) => steer::pause(&store, by).await,
        Command::Resume(by) => steer::resume(&store, by).await,
        Command::Approve(decision) => steer::approve(&store, decision).await,
        Command::Reject(decision) => steer::reject(&store, decision).await,
        Command::Retry { step, by } => steer::retry(&store, step, by).await,
        Command::Skip { step, by } => steer::skip(&store, step, by).await,
        Command::Ungraceful { step, by } => steer::ungraceful(&store, step, by).await,
        Command::Cancel { leave, by } => steer::cancel(&store, leave, by).await,
    }
}

/// Prints a line. Whoever read standard output has gone: that is no failure of what was asked.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
