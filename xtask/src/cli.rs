//! The command line: three commands and their options.

use crate::stage::{self, Selection};

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// Print a text and stop.
    Help(&'static str),
    /// Run the stages of the test.
    Test(Selection),
    /// Print the stages of the test.
    ListStages,
    /// Run one benchmark, or list them all.
    Bench {
        /// Which one; none lists them.
        name: Option<String>,
        /// One JSON object a line instead of a table.
        json: bool,
    },
    /// Write the generated files, or check that they are fresh.
    Docs {
        /// Check only.
        check: bool,
    },
}

/// The overview.
pub(crate) const HELP: &str = "\
The commands of this repository.

  cargo xtask test [--only STAGE] [--skip STAGE]   everything that CI runs, stage by stage
  cargo xtask test --list                          the stages
  cargo xtask bench [NAME] [--json]                one benchmark, or the list of them
  cargo xtask docs [--check]                       write what is generated, or check that it is fresh

`cargo xtask COMMAND --help` says more.";

const HELP_TEST: &str = "\
cargo xtask test [--only STAGE] [--skip STAGE] [--list]

Runs the stages in order and stops at the first that fails, with its output. What every stage printed is kept
under target/xtask/log/.

  --only STAGE   run this stage alone; repeat it, or separate stages with commas, for several
  --skip STAGE   leave this stage out; repeat it, or separate stages with commas, for several
  --list         print the stages and what each one does

Environment:
  PYTHON         the Python 3 to make virtual environments with (default: python3)";

const HELP_BENCH: &str = "\
cargo xtask bench [NAME] [--json]

Without NAME: lists the benchmarks. With NAME: builds it with the release profile, runs it and prints each
measure beside its goal and, where there is one, its peer.

  --json   one object a line: {\"name\",\"value\",\"unit\",\"better\",\"goal\",\"peer\",\"peer_value\",\"ratio\",\"met\"}";

const HELP_DOCS: &str = "\
cargo xtask docs [--check]

Writes every file that is generated from the code (the JSON Schema of dr.yaml).

  --check   write nothing; fail when a file differs from what would be written";

/// Reads the arguments after the program's name.
///
/// # Errors
///
/// A sentence that says what was not understood.
pub(crate) fn parse(args: impl Iterator<Item = String>) -> Result<Command, String> {
    let args: Vec<String> = args.collect();
    let Some((command, rest)) = args.split_first() else { return Ok(Command::Help(HELP)) };
    let wants_help = rest.iter().any(|arg| arg == "--help" || arg == "-h");
    match command.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help(HELP)),
        "test" if wants_help => Ok(Command::Help(HELP_TEST)),
        "bench" if wants_help => Ok(Command::Help(HELP_BENCH)),
        "docs" if wants_help => Ok(Command::Help(HELP_DOCS)),
        "test" => test(rest),
        "bench" => bench(rest),
        "docs" => docs(rest),
        other => Err(format!("there is no command `{other}`")),
    }
}

fn test(args: &[String]) -> Result<Command, String> {
    let mut selection = Selection::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let (option, inline) = match arg.split_once('=') {
            Some((option, value)) => (option, Some(value)),
            None => (arg.as_str(), None),
        };
        let into = match option {
            "--list" => return Ok(Command::ListStages),
            "--only" => &mut selection.only,
            "--skip" => &mut selection.skip,
            other => return Err(format!("`test` has no option `{other}`")),
        };
        let value = inline.or_else(|| args.next().map(String::as_str));
        let names = value.ok_or_else(|| format!("`{option}` wants the name of a stage"))?;
        for name in names.split(',') {
            let known = stage::find(name).ok_or_else(|| {
                format!("there is no stage `{name}`; the stages are {}", stage::names().collect::<Vec<_>>().join(", "))
            })?;
            into.push(known);
        }
    }
    Ok(Command::Test(selection))
}

fn bench(args: &[String]) -> Result<Command, String> {
    let (mut name, mut json) = (None, false);
    for arg in args {
        match arg.as_str() {
            "--json" => json = true,
            "--list" => {}
            option if option.starts_with('-') => return Err(format!("`bench` has no option `{option}`")),
            _ if name.is_some() => return Err("`bench` runs one benchmark at a time".to_owned()),
            given => name = Some(given.to_owned()),
        }
    }
    Ok(Command::Bench { name, json })
}

fn docs(args: &[String]) -> Result<Command, String> {
    match args {
        [] => Ok(Command::Docs { check: false }),
        [only] if only == "--check" => Ok(Command::Docs { check: true }),
        _ => Err("`docs` takes `--check` or nothing".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn stages_can_be_named_one_by_one_or_in_a_list() {
        let expected = Command::Test(Selection { only: vec!["fmt", "clippy", "deps"], skip: vec!["python"] });
        assert_eq!(parsed("test --only fmt,clippy --only=deps --skip python"), Ok(expected));
    }

    #[test]
    fn an_unknown_stage_is_answered_with_the_known_ones() {
        let problem = parsed("test --only lints").unwrap_err();
        assert!(problem.contains("`lints`") && problem.contains("clippy"), "{problem}");
    }

    #[test]
    fn a_missing_value_and_an_unknown_option_are_refused() {
        assert!(parsed("test --only").is_err());
        assert!(parsed("test --fast").is_err());
        assert!(parsed("bench plan journal").is_err());
        assert!(parsed("docs --write").is_err());
        assert!(parsed("release").is_err());
    }

    #[test]
    fn help_is_at_hand_everywhere() {
        assert_eq!(parsed(""), Ok(Command::Help(HELP)));
        assert_eq!(parsed("test --only --help"), Ok(Command::Help(HELP_TEST)));
        assert_eq!(parsed("bench -h"), Ok(Command::Help(HELP_BENCH)));
    }
}
