//! `cargo xtask fuzz`: long runs of the fuzz targets, which are tests of dr-core.

use crate::{
    run::{Failure, pass_on},
    workspace::Workspace,
};

/// The targets, by name, with their tests.
pub(crate) const TARGETS: [(&str, &str); 5] = [
    ("journal", "fuzz::targets::no_journal_breaks_its_reader"),
    ("spec", "fuzz::targets::no_dr_yaml_breaks_its_loader"),
    ("answer", "fuzz::answers::no_answer_breaks_its_reader"),
    ("plan", "fuzz::targets::no_plan_breaks_its_reader"),
    ("dns", "fuzz::dns::no_reply_breaks_the_probe_of_names"),
];

/// Runs one target for so many minutes, with the development profile: its checks of arithmetic are wanted.
///
/// # Errors
///
/// When the target does not build, or breaks.
pub(crate) fn run(workspace: &Workspace, name: &str, minutes: u64) -> Result<(), Failure> {
    let test = TARGETS.iter().find(|(known, _)| *known == name).map(|(_, test)| *test).unwrap_or_default();
    let mut cargo = workspace.cargo("test");
    cargo.args(["--quiet", "--locked", "--package", "dr-core", "--all-features", "--test", "it", "--"]);
    cargo.args([test, "--exact", "--nocapture"]).env("DR_FUZZ_MINUTES", minutes.to_string());
    pass_on(&mut cargo, &format!("`{name}` breaks on the input above"))
}
