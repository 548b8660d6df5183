use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use dr_lab::FaultPreset;

/// Loses a region for real, fails the platform over, measures what clients felt, and fails back.
///
/// Without `--lab` it stands up its own two-region lab on this machine's loopback addresses and breaks that.
///
/// Exit status: 0 objectives met; 2 objectives missed; 3 the run was held, paused or failed, or the stack was not restored;
/// 64 wrong usage.
#[derive(Clone, Debug, Parser)]
#[command(name = "drill", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) begin: Begin,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Take up a drill whose process was killed, against the lab that still stands.
    Resume(Resume),
    /// Predict what a failover would take, from the plan, and break nothing.
    Estimate(Estimate),
    /// Say what Route 53 would answer for the names of the file, if a region were lost. Nothing is asked of anybody.
    Route53(Route53),
}

/// What is asked of the model of Route 53.
#[derive(Clone, Debug, Args)]
pub(crate) struct Route53 {
    /// What describes the platform.
    #[arg(long, value_name = "FILE", default_value = "examples/ecommerce.dr.yaml")]
    pub(crate) spec: PathBuf,
    /// Print a JSON array on standard output.
    #[arg(long)]
    pub(crate) json: bool,
}

/// What a prediction is made of.
#[derive(Clone, Debug, Args)]
#[command(
    after_help = "Exit status: 0 enough drills meet the objectives; 2 too few do; 3 the plan could not be made; 64 wrong usage."
)]
pub(crate) struct Estimate {
    /// What describes the platform. A lab of its own stands for it, is looked at, and is taken down.
    #[arg(long, value_name = "FILE", default_value = "examples/ecommerce.dr.yaml")]
    pub(crate) spec: PathBuf,
    /// Play this model instead of the one that dr.yaml and the plan give.
    #[arg(long, value_name = "FILE", conflicts_with = "spec")]
    pub(crate) model: Option<PathBuf>,
    /// Write the model that is played, with every parameter, to be read and changed.
    #[arg(long, value_name = "FILE")]
    pub(crate) write_model: Option<PathBuf>,
    /// Also play with one thing changed; may be given several times: ttl=20s, interval=1s, trip=2, dwell=5s, decision=2m,
    /// symptom=refused, prescaled, step:NAME=30s.
    #[arg(long, value_name = "CHANGE", value_parser = crate::estimate::what_if)]
    pub(crate) what_if: Vec<dr_core::estimate::WhatIf>,
    /// How many drills are played. Default: what the model says, 10,000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    pub(crate) drills: Option<u32>,
    /// What they are drawn from. Default: what the model says.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Draw the share of drills that have recovered over time.
    #[arg(long, value_name = "FILE")]
    pub(crate) svg: Option<PathBuf>,
    /// Play the first drills again through the real engine on paused time, and say whether the two agree.
    #[arg(long)]
    pub(crate) confirm: bool,
    /// The share of drills that must meet each objective for exit status 0.
    #[arg(long, default_value_t = 0.95)]
    pub(crate) at_least: f64,
    /// How many of the world's seconds pass in one of the machine's while the lab is looked at.
    #[arg(long, default_value_t = 20.0, value_parser = scale)]
    pub(crate) time_scale: f64,
    /// Print one JSON object on standard output: the model, the prediction, and the changes.
    #[arg(long)]
    pub(crate) json: bool,
}

/// How a drill is begun.
#[derive(Clone, Debug, Args)]
pub(crate) struct Begin {
    /// What happens to the active region.
    #[arg(long, default_value_t = FaultPreset::Blackhole, value_name = "refuse|blackhole|gray|control-plane")]
    pub(crate) fault: FaultPreset,
    /// How many of the world's seconds pass in one of the machine's; 1 is real time. A standing lab has its own.
    #[arg(long, default_value_t = 20.0, value_parser = scale)]
    pub(crate) time_scale: f64,
    /// What clients' pauses and checkers' phases are drawn from.
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// Drill against the lab that wrote this env file (`cargo run --bin lab -- --env-file FILE`).
    #[arg(long, value_name = "ENV_FILE")]
    pub(crate) lab: Option<PathBuf>,
    /// Ask before the plan is carried out, also on the embedded lab.
    #[arg(long)]
    pub(crate) ask: bool,
    /// Drill twice, one after the other on the same lab: as usual, and with the standby warmed as soon as the loss is
    /// suspected; and say what that saves. The first one's files are in DIR/without.
    #[arg(long)]
    pub(crate) prewarm: bool,
    /// How long a pod of the embedded lab takes to become ready, in the world's seconds. A standing lab has its own.
    #[arg(long, default_value_t = 8.0, value_name = "SECONDS", value_parser = scale)]
    pub(crate) pod_start: f64,
    #[command(flatten)]
    pub(crate) common: Common,
}

/// How a drill is taken up.
#[derive(Clone, Debug, Args)]
pub(crate) struct Resume {
    #[command(flatten)]
    pub(crate) common: Common,
}

/// What both take.
#[derive(Clone, Debug, Args)]
pub(crate) struct Common {
    /// What describes the platform.
    #[arg(long, value_name = "FILE", default_value = "examples/ecommerce.dr.yaml")]
    pub(crate) spec: PathBuf,
    /// Where the report, the journal and what a resume needs are written.
    #[arg(long, value_name = "DIR", default_value = "target/drill")]
    pub(crate) report: PathBuf,
    /// Answer yes to whatever is asked.
    #[arg(long)]
    pub(crate) yes: bool,
    /// Leave decisions to another terminal: the runs wait at their gates, and where a step has failed, until `runs` says what
    /// to do.
    #[arg(long)]
    pub(crate) attended: bool,
    /// Print one JSON object on standard output, and nothing else there.
    #[arg(long)]
    pub(crate) json: bool,
}

fn scale(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(scale) if scale.is_finite() && scale > 0.0 && scale <= 1000.0 => Ok(scale),
        _ => Err("write a number above 0 and up to 1000".to_owned()),
    }
}
