//! Stages that begin beside another one, so that the processors have work while that one waits.

use std::{
    path::PathBuf,
    sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
    thread::Scope,
    time::Duration,
};

use super::{Context, Outcome, Stage};
use crate::{
    run::{Failure, Halt, Priority, Progress, Stopwatch, human},
    workspace::Workspace,
};

/// A stage that was begun beside another one.
#[derive(Debug)]
pub(super) struct Begun {
    /// Its name.
    pub(super) name: &'static str,
    beside: &'static str,
    said: Receiver<String>,
    ended: Receiver<(Result<Outcome, Failure>, Duration)>,
}

struct Waiting {
    stage: &'static Stage,
    beside: &'static str,
    log: PathBuf,
    says: Sender<String>,
    ends: Sender<(Result<Outcome, Failure>, Duration)>,
}

/// Begins those of `stages` that may run beside the one called `name`, one after the other, until one fails or `halt` is
/// called; none where this machine has no lower priority for them.
pub(super) fn begin<'scope>(
    scope: &'scope Scope<'scope, '_>,
    workspace: &'scope Workspace,
    stages: &[&'static Stage],
    name: &'static str,
    halt: &Halt,
) -> Vec<Begun> {
    let stages: Vec<_> = stages.iter().filter(|stage| stage.beside == Some(name)).collect();
    if stages.is_empty() {
        return Vec::new();
    }
    let Some(priority) = Priority::lowest() else { return Vec::new() };
    let (begun, waiting): (Vec<_>, Vec<_>) = stages
        .into_iter()
        .map(|stage| {
            let (says, said) = mpsc::channel();
            let (ends, ended) = mpsc::channel();
            let waiting = Waiting { stage, beside: name, log: stage.fresh_log(workspace), says, ends };
            (Begun { name: stage.name, beside: name, said, ended }, waiting)
        })
        .unzip();
    let halt = halt.clone();
    scope.spawn(move || {
        for Waiting { stage, beside, log, says, ends } in waiting {
            let started = Stopwatch::start();
            let progress = Progress::told_to(stage.name, says);
            let mut context = Context::new(workspace, progress, log).lowered(priority.clone(), halt.clone());
            context.progress.say(&format!("begun beside `{beside}`: {}", stage.about));
            let outcome = (stage.run)(&mut context);
            let failed = outcome.is_err();
            // Nobody waits for it any more when another stage has failed.
            let _ = ends.send((outcome, started.elapsed()));
            if failed {
                break;
            }
        }
    });
    begun
}

impl Begun {
    /// Waits for its end, under the progress line of its turn.
    ///
    /// # Errors
    ///
    /// Its failure.
    pub(super) fn end(self, progress: &mut Progress) -> Result<Outcome, Failure> {
        loop {
            match self.said.recv_timeout(Duration::from_secs(1)) {
                Ok(line) => progress.say(&line),
                Err(RecvTimeoutError::Timeout) => progress.tick(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        let (outcome, took) =
            self.ended.recv().map_err(|_| Failure::new(format!("what began beside `{}` was lost", self.beside)))?;
        let mut outcome = outcome?;
        let beside = format!("{} from the beginning of `{}` on", human(took), self.beside);
        outcome.note = if outcome.note.is_empty() { beside } else { format!("{}; {beside}", outcome.note) };
        Ok(outcome)
    }
}
