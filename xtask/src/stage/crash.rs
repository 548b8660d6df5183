//! The two stages that try everything, one thing at a time: every death of a process, every fault of a call.

use super::{Context, Outcome, closing};
use crate::run::{Failure, Finished};

/// The test that kills a process twice, in dr-core's integration tests.
const PAIRS: &str = "crash::sweep::a_second_kill_during_the_recovery_changes_nothing_either";
/// The test that lets each call go wrong, in those of the examples.
const CALLS: &str = "sweep::cases::every_call_may_go_wrong_in_every_way";

/// What the stages that try tens of thousands of runs build, at once: with a profile that is made for speed, and with one
/// set of features, so that neither builds what the other has built.
pub(super) const FAST: [&str; 8] =
    ["--profile", "sim", "--locked", "--package", "dr-core", "--all-features", "--test", "it"];

/// Kills processes in pairs: there are more than ten thousand of them.
pub(super) fn run(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("test");
    cargo.args(FAST).arg("--").args([PAIRS, "--exact", "--ignored", "--nocapture"]);
    Ok(counts(&context.run(&mut cargo, "a run that was killed did not come to its end")?))
}

/// Lets each call go wrong, with what the tests have built.
pub(super) fn faults(context: &mut Context<'_>) -> Result<Outcome, Failure> {
    let mut cargo = context.workspace.cargo("test");
    cargo.args(["--workspace", "--all-features", "--locked", "--test", "it", "--"]);
    cargo.args([CALLS, "--exact", "--ignored", "--nocapture"]);
    Ok(counts(&context.run(&mut cargo, "a drill in which a call went wrong did not come to its end")?))
}

fn counts(finished: &Finished) -> Outcome {
    let counts = finished.lines.iter().filter(|line| closing::is_count(line)).cloned().collect();
    Outcome { note: String::new(), closing: counts }
}
