use std::{path::PathBuf, process::Command};

use crate::{
    run::{Failure, Finished, Halt, Priority, Progress, watch},
    venv::Venv,
    workspace::Workspace,
};

/// What a stage works with.
#[derive(Debug)]
pub(crate) struct Context<'w> {
    /// Where it works.
    pub(crate) workspace: &'w Workspace,
    /// The line that shows what it does.
    pub(crate) progress: Progress,
    log: PathBuf,
    priority: Option<Priority>,
    halt: Halt,
}

impl<'w> Context<'w> {
    pub(super) fn new(workspace: &'w Workspace, progress: Progress, log: PathBuf) -> Self {
        Self { workspace, progress, log, priority: None, halt: Halt::default() }
    }

    /// Runs all programs with this priority from here on, until `halt` ends them.
    pub(super) fn lowered(mut self, priority: Priority, halt: Halt) -> Self {
        self.priority = Some(priority);
        self.halt = halt;
        self
    }

    /// Runs a program under the stage's progress line and log; `message` is the failure when it fails.
    ///
    /// # Errors
    ///
    /// When the program cannot be started or fails.
    pub(crate) fn run(&mut self, command: &mut Command, message: &str) -> Result<Finished, Failure> {
        let mut lowered;
        let command = match &self.priority {
            Some(priority) => {
                lowered = priority.lower(command);
                &mut lowered
            }
            None => command,
        };
        watch(command, &mut self.progress, &self.log, &self.halt)?.or_fail(message)
    }

    /// A Python environment, made under the stage's progress line and log.
    ///
    /// # Errors
    ///
    /// As [`Venv::with`].
    pub(super) fn venv(&mut self, name: &str, requirements: &str) -> Result<Venv, Failure> {
        let workspace = self.workspace;
        Venv::with(workspace, name, requirements, |command, message| self.run(command, message).map(drop))
    }
}
