use std::{fmt, sync::Arc};

use super::{Command, RunView};
use crate::{journal::Entry, plan::Plan};

type Change = dyn Fn(&Plan, &RunView, Vec<Command>) -> Vec<Command> + Send + Sync;

/// Changes what the engine has decided: how the simulation makes an engine that is wrong on purpose. Not in programs.
#[derive(Clone)]
pub(crate) struct Meddle(Arc<Change>);

impl Meddle {
    pub(crate) fn new(change: impl Fn(&Plan, &RunView, Vec<Command>) -> Vec<Command> + Send + Sync + 'static) -> Self {
        Self(Arc::new(change))
    }

    pub(super) fn with(&self, plan: &Plan, view: &RunView, commands: Vec<Command>) -> Vec<Command> {
        (self.0)(plan, view, commands)
    }

    /// Whether one of these commands asks for the attempt that an intent announces.
    pub(super) fn wanted(&self, commands: &[Command], intent: &Entry) -> bool {
        commands.iter().any(|command| match (intent, command) {
            (Entry::StepIntent(intent), Command::Start { step, attempt, .. }) => {
                intent.step == *step && intent.attempt == *attempt
            }
            (
                Entry::CompensationIntent { step, attempt },
                Command::Compensate { step: wanted, attempt: number, .. },
            ) => step == wanted && attempt == number,
            _ => false,
        })
    }
}

impl fmt::Debug for Meddle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meddle").finish_non_exhaustive()
    }
}
