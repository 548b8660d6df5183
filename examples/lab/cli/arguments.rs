use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use dr_core::error::Result;
use dr_lab::FaultPreset;

/// Where a standing lab is found when nothing else is said.
const ENV_FILE: &str = "target/lab/env";

/// The e-commerce platform in two regions and a witness, on this machine: real sockets, real DNS packets, and a region to lose.
///
/// Without a command it stands until Ctrl-C. The commands steer a lab that stands in another terminal.
#[derive(Debug, Parser)]
#[command(name = "lab", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(super) command: Option<Command>,
    #[command(flatten)]
    pub(super) stand: Stand,
}

/// How the lab stands.
#[derive(Args, Debug)]
pub(super) struct Stand {
    /// How many of the lab's seconds pass in one of this machine's; 1 is real time
    #[arg(long, value_name = "FACTOR", default_value_t = 20.0, value_parser = positive)]
    pub(super) time_scale: f64,
    /// What clients' pauses and health checkers' phases are drawn from
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    /// How many clients write orders
    #[arg(long, default_value_t = 12)]
    pub(super) clients: u32,
    /// Replication lag of the database, in milliseconds of the lab's time
    #[arg(long, value_name = "MS", default_value_t = 900)]
    pub(super) lag_ms: u64,
    /// Where to write the variables that other programs find the lab by
    #[arg(long, value_name = "PATH", default_value = ENV_FILE)]
    pub(super) env_file: PathBuf,
    /// Port of the application, the same in every region; any free one by default
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) application_port: u16,
    /// Port of the name server; any free one by default
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) dns_port: u16,
    /// Port of the admin endpoint; any free one by default
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    pub(super) admin_port: u16,
    /// End after this many seconds of the lab's time; stand until Ctrl-C by default
    #[arg(long, value_name = "SECONDS", value_parser = positive)]
    pub(super) duration: Option<f64>,
}

/// What to do with a lab that stands in another terminal.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Break a region: refuse, blackhole, gray or control-plane
    Fault {
        /// What goes wrong
        preset: FaultPreset,
        /// Where; us-east-1 by default
        #[arg(long)]
        region: Option<String>,
        #[command(flatten)]
        standing: Standing,
    },
    /// Take every fault back
    Heal(Standing),
    /// Set the database's replication lag
    Lag {
        /// Milliseconds of the lab's time
        ms: u64,
        #[command(flatten)]
        standing: Standing,
    },
    /// Print what the stack looks like, as JSON
    State(Standing),
    /// Print what the clients felt, as JSON
    Clients {
        /// Only from this second of the lab's time on
        #[arg(long, value_name = "SECONDS")]
        since: Option<f64>,
        #[command(flatten)]
        standing: Standing,
    },
    /// Print the clients' ledger against the surviving store, as JSON
    Audit(Standing),
    /// Print every change that was asked of the doubles, as JSON
    Effects(Standing),
}

/// Which lab.
#[derive(Args, Debug)]
pub(super) struct Standing {
    /// The env file that the lab wrote
    #[arg(long, value_name = "PATH", default_value = ENV_FILE)]
    pub(super) env_file: PathBuf,
}

impl Cli {
    pub(crate) async fn run(self) -> Result<()> {
        match self.command {
            None => self.stand.run().await,
            Some(command) => command.run().await,
        }
    }
}

fn positive(raw: &str) -> Result<f64, String> {
    match raw.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("a number above 0 is wanted".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_arguments_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_time_scale_is_above_zero() {
        assert!(Cli::try_parse_from(["lab", "--time-scale", "0"]).is_err());
        assert!(Cli::try_parse_from(["lab", "--time-scale", "1"]).is_ok());
    }
}
