use super::{Context, STAGES, Stage};
use crate::{
    run::{Failure, Progress, Stopwatch, human},
    workspace::Workspace,
};

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
        println!("  {:<10} {}", stage.name, stage.about);
    }
}

/// Runs the selected stages in order, and stops at the first that fails.
///
/// # Errors
///
/// The failure of that stage, with its output.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<(), Failure> {
    let whole = Stopwatch::start();
    let selected: Vec<&Stage> = STAGES.iter().filter(|stage| selection.contains(stage)).collect();
    for (done, stage) in selected.iter().enumerate() {
        let log = workspace.target(&format!("xtask/log/{}.log", stage.name));
        // The log of an earlier run; that there is none is as good.
        let _ = std::fs::remove_file(&log);
        let mut context = Context::new(workspace, Progress::new(stage.name), log.clone());
        context.progress.say(stage.about);
        let outcome = (stage.run)(&mut context);
        match outcome {
            Ok(outcome) => {
                let note = if outcome.note.is_empty() { String::new() } else { format!(" ({})", outcome.note) };
                context.progress.finish(&format!("ok{note}"));
                for line in outcome.closing {
                    println!("{line}");
                }
            }
            Err(failure) => {
                context.progress.finish("FAILED");
                let left: Vec<_> = selected.iter().skip(done + 1).map(|stage| stage.name).collect();
                let not_run = if left.is_empty() { String::new() } else { format!("; not run: {}", left.join(", ")) };
                eprint!("\n{failure}");
                return Err(Failure::new(format!(
                    "stage `{}` failed after {}{not_run}; its log is {}",
                    stage.name,
                    human(whole.elapsed()),
                    log.display()
                )));
            }
        }
    }
    println!("\n{} stages passed in {}", selected.len(), human(whole.elapsed()));
    Ok(())
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
    fn a_stage_that_is_both_wanted_and_skipped_is_skipped() {
        let selection = Selection { only: vec!["fmt", "deps"], skip: vec!["deps"] };
        let chosen: Vec<_> = STAGES.iter().filter(|stage| selection.contains(stage)).map(|stage| stage.name).collect();
        assert_eq!(chosen, ["fmt"]);
    }
}
