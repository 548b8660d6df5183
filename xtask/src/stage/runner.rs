use std::{path::PathBuf, thread};

use super::{
    Context, STAGES, Stage,
    beside::{self, Begun},
};
use crate::{
    run::{Failure, Halt, Progress, Stopwatch, human},
    workspace::Workspace,
};

impl Stage {
    fn log(&self, workspace: &Workspace) -> PathBuf {
        workspace.target(&format!("xtask/log/{}.log", self.name))
    }

    /// Where its log goes, without the log of an earlier run.
    pub(super) fn fresh_log(&self, workspace: &Workspace) -> PathBuf {
        let log = self.log(workspace);
        // That there is none is as good.
        let _ = std::fs::remove_file(&log);
        log
    }
}

/// Which stages to run.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selection {
    /// These alone; all when empty.
    pub(crate) only: Vec<&'static str>,
    /// Not these.
    pub(crate) skip: Vec<&'static str>,
}

impl Selection {
    fn contains(&self, stage: &Stage) -> bool {
        (self.only.is_empty() || self.only.contains(&stage.name)) && !self.skip.contains(&stage.name)
    }
}

/// The names of all stages, in order.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    STAGES.iter().map(|stage| stage.name)
}

/// The name of the stage called `name`.
pub(crate) fn find(name: &str) -> Option<&'static str> {
    names().find(|known| *known == name)
}

/// Prints the stages.
pub(crate) fn list() {
    for stage in STAGES {
        let beside = stage.beside.map(|other| format!(" (begins beside `{other}`)")).unwrap_or_default();
        println!("  {:<10} {}{beside}", stage.name, stage.about);
    }
}

/// Runs the selected stages in order, and stops at the first that fails.
///
/// A stage that may run beside another one begins with that one, and is told in its own turn all the same.
///
/// # Errors
///
/// The failure of that stage, with its output.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<(), Failure> {
    let whole = Stopwatch::start();
    let selected: Vec<&'static Stage> = STAGES.iter().filter(|stage| selection.contains(stage)).collect();
    let halt = Halt::default();
    thread::scope(|scope| {
        let mut begun = Vec::new();
        for (done, stage) in selected.iter().enumerate() {
            let later = selected.get(done + 1..).unwrap_or_default();
            begun.extend(beside::begin(scope, workspace, later, stage.name, &halt));
            let place = begun.iter().position(|begun| begun.name == stage.name);
            if let Err(failure) = turn(workspace, stage, place.map(|place| begun.remove(place))) {
                halt.call();
                let left: Vec<_> = later.iter().map(|stage| stage.name).collect();
                let not_run = if left.is_empty() { String::new() } else { format!("; not run: {}", left.join(", ")) };
                eprint!("\n{failure}");
                return Err(Failure::new(format!(
                    "stage `{}` failed after {}{not_run}; its log is {}",
                    stage.name,
                    human(whole.elapsed()),
                    stage.log(workspace).display()
                )));
            }
        }
        Ok(())
    })?;
    println!("\n{} stages passed in {}", selected.len(), human(whole.elapsed()));
    Ok(())
}

/// Runs a stage, or waits for it where it was begun already, and tells how it ended.
fn turn(workspace: &Workspace, stage: &Stage, begun: Option<Begun>) -> Result<(), Failure> {
    let mut progress = Progress::new(stage.name);
    let (outcome, progress) = match begun {
        Some(begun) => (begun.end(&mut progress), progress),
        None => {
            let mut context = Context::new(workspace, progress, stage.fresh_log(workspace));
            context.progress.say(stage.about);
            ((stage.run)(&mut context), context.progress)
        }
    };
    match outcome {
        Ok(outcome) => {
            let note = if outcome.note.is_empty() { String::new() } else { format!(" ({})", outcome.note) };
            progress.finish(&format!("ok{note}"));
            for line in outcome.closing {
                println!("{line}");
            }
            Ok(())
        }
        Err(failure) => {
            progress.finish("FAILED");
            Err(failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_stage_has_a_name_of_its_own_and_says_what_it_does() {
        assert_eq!(names().collect::<BTreeSet<_>>().len(), STAGES.len());
        assert!(STAGES.iter().all(|stage| !stage.about.is_empty()));
    }

    #[test]
    fn a_stage_that_begins_beside_another_one_has_its_turn_after_it() {
        let place = |name: &str| STAGES.iter().position(|stage| stage.name == name);
        let beside: Vec<_> = STAGES.iter().filter_map(|stage| Some((stage.name, stage.beside?))).collect();
        assert!(!beside.is_empty());
        for (name, first) in beside {
            assert!(place(first).unwrap() < place(name).unwrap(), "{name}");
        }
    }

    #[test]
    fn a_stage_that_is_both_wanted_and_skipped_is_skipped() {
        let selection = Selection { only: vec!["fmt", "deps"], skip: vec!["deps"] };
        let chosen: Vec<_> = STAGES.iter().filter(|stage| selection.contains(stage)).map(|stage| stage.name).collect();
        assert_eq!(chosen, ["fmt"]);
    }
}
