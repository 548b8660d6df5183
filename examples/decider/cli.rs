use std::path::PathBuf;

use clap::Parser;

/// Watches as dr.yaml says, decides by its policy, and carries out what it decides.
///
/// In mode `manual` it only says what it sees and what speaks for a failover; in `ask` it waits, once everything does, for
/// `runs yes` or `runs no`; in `automatic` it fails over by itself. Each change of decision is in the journal before anything
/// comes of it: `runs why` tells it from another process, `runs stop` keeps everything from starting. A run that waits at its
/// gate is opened with `runs approve`.
///
/// Ended and started again, it goes on from the journal: a failover that was under way is taken up, none is begun twice, and
/// the block period holds.
///
/// Exit status: 0 it was told to stop (SIGTERM, Ctrl-C); 64 wrong usage, or dr.yaml is not right or asks for what nobody tells;
/// 66 no such file; 74 the journal failed, or it cannot go on watching.
#[derive(Clone, Debug, Parser)]
#[command(name = "decider", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// What describes the platform: the same dr.yaml that everybody has.
    #[arg(long, value_name = "FILE", default_value = "dr.yaml")]
    pub(crate) config: PathBuf,
    /// The journal's file, instead of the one in dr.yaml.
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: Option<PathBuf>,
    /// Say what it would do. Nothing is written and nothing started.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Print each event as a JSON object in a line of its own.
    #[arg(long)]
    pub(crate) json: bool,
    /// Take variables, credentials and time from the lab that wrote this env file, instead of the environment, AWS's own chain
    /// and this machine's clock.
    #[arg(long, value_name = "ENV_FILE")]
    pub(crate) lab: Option<PathBuf>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Cli::command().debug_assert();
    }
}
