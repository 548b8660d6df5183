//! The command line: the commands and their options.

use crate::{
    fuzz::TARGETS,
    mutants::{self, Part},
    stage::{self, Selection},
};

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
        /// Fail when a goal is missed.
        check: bool,
    },
    /// Change the pure parts, one shard of the places, and see whether the tests notice.
    Mutants {
        /// Which part; none for all.
        part: Option<&'static Part>,
        /// `k/n`, from 0; none for all.
        shard: Option<String>,
    },
    /// Add up what the shards found.
    MutantsReport,
    /// Run one fuzz target.
    Fuzz {
        /// Which one.
        name: String,
        /// For how long.
        minutes: u64,
    },
    /// Simulate, with arguments for the simulation.
    Sim(Vec<String>),
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
  cargo xtask bench [NAME] [--json] [--check]      one benchmark, or the list of them
  cargo xtask mutants [PART] [--shard K/N]         change the code, and see whether the tests notice
  cargo xtask fuzz NAME [--minutes N]              look for inputs that break a reader: journal, spec, plan, dns, answer
  cargo xtask sim [--seeds N] [--seed S]           failovers by seed: many of them, or one with its story
  cargo xtask docs [--check]                       write what is generated, or check that it is fresh

`cargo xtask COMMAND --help` says more.";

const HELP_TEST: &str = "\
cargo xtask test [--only STAGE] [--skip STAGE] [--list]

Runs the stages in order and stops at the first that fails, with its output. What every stage printed is kept
under target/xtask/log/. Stages that only compute begin early, at the lowest priority, and are told in their turn.

  --only STAGE   run this stage alone; repeat it, or separate stages with commas, for several
  --skip STAGE   leave this stage out; repeat it, or separate stages with commas, for several
  --list         print the stages and what each one does

Environment:
  PYTHON         the Python 3 to make virtual environments with (default: python3)";

const HELP_BENCH: &str = "\
cargo xtask bench [NAME] [--json] [--check]

Without NAME: lists the benchmarks. With NAME: builds it with the release profile, runs it and prints each
measure beside its goal and, where there is one, its peer: the same work done by another program, which is
built or fetched, and run in the same call (xtask/peers).

  --check  fail when a goal is missed
  --json   one object a line: {\"name\",\"value\",\"unit\",\"better\",\"goal\",\"peer\",\"peer_value\",\"ratio\",\"met\"}";

const HELP_MUTANTS: &str = "\
cargo xtask mutants [PART] [--shard K/N]
cargo xtask mutants --report

Changes the pure parts of dr-core in a copy, one place at a time, and runs their fast tests (xtask/src/mutants/part.rs
says which): a change that no test notices is printed, and those that are known are in docs/mutants.md. Fails below 90 %.
Each change costs a build: take shards. Installs cargo-mutants under target/tools where there is none.

  PART         journal, engine, plan or lint; all of them without
  --shard K/N  every Nth place from the Kth on, counted from 0; what it finds is kept under target/mutants
  --report     add up what is kept there";

const HELP_FUZZ: &str = "\
cargo xtask fuzz NAME [--minutes N]

Changes well-formed inputs at random and gives them to a reader that must neither panic nor break its laws.

  NAME          journal (an export), spec (dr.yaml), plan (JSON), dns (a name server's reply) or answer (HTTP)
  --minutes N   for how long (default: 1)

Environment:
  DR_FUZZ_SEED  repeats a run, whose seed it printed
  DR_FUZZ_KEEP  a folder for the inputs that were answered in a new way";

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
        "mutants" if wants_help => Ok(Command::Help(HELP_MUTANTS)),
        "fuzz" if wants_help => Ok(Command::Help(HELP_FUZZ)),
        "docs" if wants_help => Ok(Command::Help(HELP_DOCS)),
        "test" => test(rest),
        "bench" => bench(rest),
        "mutants" => mutants(rest),
        "fuzz" => fuzz(rest),
        "sim" => Ok(Command::Sim(rest.to_vec())),
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
    let (mut name, mut json, mut check) = (None, false, false);
    for arg in args {
        match arg.as_str() {
            "--json" => json = true,
            "--check" => check = true,
            "--list" => {}
            option if option.starts_with('-') => return Err(format!("`bench` has no option `{option}`")),
            _ if name.is_some() => return Err("`bench` runs one benchmark at a time".to_owned()),
            given => name = Some(given.to_owned()),
        }
    }
    Ok(Command::Bench { name, json, check })
}

fn mutants(args: &[String]) -> Result<Command, String> {
    let (mut part, mut shard) = (None, None);
    let mut args = args.iter().map(String::as_str);
    while let Some(arg) = args.next() {
        match arg {
            "--report" if part.is_none() && shard.is_none() && args.next().is_none() => {
                return Ok(Command::MutantsReport);
            }
            "--shard" => {
                let given = args.next().filter(|shard| is_shard(shard));
                shard = Some(given.ok_or("`--shard` wants K/N, with K from 0 and below N")?.to_owned());
            }
            name if part.is_none() && mutants::find(name).is_some() => part = mutants::find(name),
            other => return Err(format!("`mutants` does not know `{other}`: it takes journal, engine, plan or lint")),
        }
    }
    Ok(Command::Mutants { part, shard })
}

fn is_shard(shard: &str) -> bool {
    let number = |text: &str| text.parse::<u32>().ok();
    shard.split_once('/').is_some_and(|(k, n)| number(k).zip(number(n)).is_some_and(|(k, n)| k < n))
}

fn fuzz(args: &[String]) -> Result<Command, String> {
    let (mut name, mut minutes) = (None, 1);
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--minutes" => {
                let value = args.next().map(|n| n.parse());
                minutes = value.and_then(Result::ok).ok_or("`--minutes` wants a whole number")?;
            }
            given if name.is_none() && TARGETS.iter().any(|(known, _)| *known == given) => {
                name = Some(given.to_owned())
            }
            other => {
                return Err(format!("`fuzz` does not know `{other}`: it takes journal, spec, plan, dns or answer"));
            }
        }
    }
    let name = name.ok_or("`fuzz` wants the name of a target: journal, spec, plan, dns or answer")?;
    Ok(Command::Fuzz { name, minutes })
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
    fn a_fuzz_target_runs_as_long_as_it_is_told() {
        let expected = Command::Fuzz { name: "plan".to_owned(), minutes: 20 };
        assert_eq!(parsed("fuzz plan --minutes 20"), Ok(expected));
    }

    #[test]
    fn one_part_or_one_shard_of_it_is_changed() {
        let lint = mutants::find("lint");
        assert_eq!(
            parsed("mutants lint --shard 1/8"),
            Ok(Command::Mutants { part: lint, shard: Some("1/8".to_owned()) })
        );
        assert_eq!(parsed("mutants"), Ok(Command::Mutants { part: None, shard: None }));
        assert_eq!(parsed("mutants --report"), Ok(Command::MutantsReport));
    }

    #[test]
    fn a_missing_value_and_an_unknown_option_are_refused() {
        assert!(parsed("test --only").is_err());
        assert!(parsed("bench engine --chek").is_err());
        assert!(parsed("mutants --shard 8/8").is_err());
        assert!(parsed("mutants --shard eight").is_err());
        assert!(parsed("mutants detection").is_err());
        assert!(parsed("mutants lint --report").is_err());
        assert!(parsed("test --fast").is_err());
        assert!(parsed("bench plan journal").is_err());
        assert!(parsed("docs --write").is_err());
        assert!(parsed("fuzz").is_err());
        assert!(parsed("fuzz yaml").is_err());
        assert!(parsed("fuzz plan --minutes many").is_err());
        assert!(parsed("release").is_err());
    }

    #[test]
    fn help_is_at_hand_everywhere() {
        assert_eq!(parsed(""), Ok(Command::Help(HELP)));
        assert_eq!(parsed("test --only --help"), Ok(Command::Help(HELP_TEST)));
        assert_eq!(parsed("bench -h"), Ok(Command::Help(HELP_BENCH)));
    }
}
