use std::{path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use dr_core::model::{ApplicationId, RequestToken, RunId, StepId};

/// Lists, shows, follows and steers the runs of a journal, whichever process executes them.
///
/// A run that another process holds is steered through its inbox: the process that executes it looks into it about once a
/// second, and this program waits for its answer. A run that nobody holds is written into at once. Where RUN is left out,
/// it is the only run that has not ended.
///
/// Exit status: 0 done; 2 the records are not what was written, or not what a checkpoint saw (verify, checkpoint); 3 refused,
/// and why is said: a checkpoint that no key of --key has signed, too; 64 wrong usage, or a file that is not what it should
/// be; 66 no such journal, run, file or checkpoint; 74 the journal failed, or standard output; 75 no answer in time: the
/// request stays in the inbox and will be answered.
#[derive(Clone, Debug, Parser)]
#[command(name = "runs", version, max_term_width = 100)]
pub(crate) struct Cli {
    /// The journal's file.
    #[arg(long, global = true, value_name = "FILE", default_value = "target/drill/journal.sqlite")]
    pub(crate) journal: PathBuf,
    /// Look into the journal that this dr.yaml names, a file or a bucket of S3, instead of --journal.
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "journal")]
    pub(crate) config: Option<PathBuf>,
    /// Read the time from the lab that wrote this env file. Without it leases lapse by this machine's clock, by which those
    /// of a process that runs on faster time lapse late. With --config, its variables and credentials too.
    #[arg(long, global = true, value_name = "ENV_FILE")]
    pub(crate) lab: Option<PathBuf>,
    /// How many seconds to wait for the answer of the process that holds the run.
    #[arg(long, global = true, default_value = "30", value_parser = seconds)]
    pub(crate) wait: Duration,
    /// Print JSON on standard output: one object, or one in each line where there are many.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Clone, Debug, Subcommand)]
pub(crate) enum Command {
    /// Every run: its state, goal, age and owner, and what it waits for.
    List {
        /// Only runs that have not ended.
        #[arg(long)]
        open: bool,
    },
    /// One run: its steps, and what may be done with it now.
    Show {
        /// The run.
        run: Option<RunId>,
    },
    /// What happens in a run, from its beginning and then as it happens, until it has ended.
    Follow {
        /// The run.
        run: Option<RunId>,
        /// Only what comes after this record.
        #[arg(long, default_value_t = 0, value_name = "N")]
        after: u64,
    },
    /// Begin nothing new; what is under way ends.
    Pause(By),
    /// End such a pause.
    Resume(By),
    /// Try a failed step, or every failed step of a group, again.
    Retry {
        /// The step or group.
        #[arg(long, value_name = "STEP")]
        step: StepId,
        #[command(flatten)]
        by: By,
    },
    /// Go on without a step or group that has not begun or has failed; or leave as it is what could not be taken back.
    Skip {
        /// The step or group.
        #[arg(long, value_name = "STEP")]
        step: StepId,
        #[command(flatten)]
        by: By,
    },
    /// Let the plan's rules for ungraceful mode hold from here on, for the whole run or for a step or group of it.
    Ungraceful {
        /// The step or group; the whole run without it.
        #[arg(long, value_name = "STEP")]
        step: Option<StepId>,
        #[command(flatten)]
        by: By,
    },
    /// Open the gates of the plan.
    Approve(Decide),
    /// Refuse the plan's gates: what was done is taken back, and the run ends.
    Reject(Decide),
    /// End the run, and take back what it did, unless it is past the point of no return.
    Cancel {
        /// Leave what was done as it is.
        #[arg(long)]
        leave: bool,
        #[command(flatten)]
        by: By,
    },
    /// Why an application did, or did not, fail over: the last decision about it, and what came before.
    Why {
        /// The application; that of --config, or the only one that was decided about, without it.
        application: Option<ApplicationId>,
        /// How many earlier changes of decision to show as well, in a line each.
        #[arg(long, default_value_t = 5, value_name = "N")]
        before: usize,
    },
    /// Keep everything from starting, whichever process decides: the kill switch.
    Stop(About),
    /// Let failovers start again.
    Start(About),
    /// Answer the decider's question with yes.
    Yes(About),
    /// Answer the decider's question with no.
    No(About),
    /// Let failovers start by themselves again, before the block period after the last run is over.
    Acknowledge {
        /// The run that began the block period.
        #[arg(long, value_name = "RUN")]
        run: RunId,
        #[command(flatten)]
        about: About,
    },
    /// Print a signed checkpoint, one JSON object in a line: how far the records go, to be kept where the journal is not.
    ///
    /// The records are checked first. Append it to a file that whoever can write to the journal cannot write to:
    /// `runs checkpoint --key KEY >> FILE`, and later `runs verify --checkpoints FILE --key PUBLIC`.
    Checkpoint {
        /// The run; every one, each in a line, without it.
        run: Option<RunId>,
        /// The Ed25519 private key to sign with: PKCS#8, in PEM or DER. `observer --new-key FILE` makes one and prints its
        /// public half.
        #[arg(long, value_name = "FILE")]
        key: PathBuf,
    },
    /// Check that the records are what was written; with checkpoints, that none is missing at the end and that nobody wrote
    /// them anew.
    Verify(Verify),
    /// Print the records, one JSON object in each line.
    Export {
        /// The run.
        run: Option<RunId>,
    },
}

/// What is checked, and against what.
#[derive(Clone, Debug, Args)]
pub(crate) struct Verify {
    /// The run; without it every one, also those that only a checkpoint knows.
    pub(crate) run: Option<RunId>,
    /// The signed checkpoints that were kept, one in each line, as `runs checkpoint` prints them.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) checkpoints: Option<PathBuf>,
    /// The public key that must have signed them, in hexadecimal, base64 or PEM, or a file with it. Where keys were
    /// changed, give each.
    #[arg(long, value_name = "PUBLIC", requires = "checkpoints")]
    pub(crate) key: Vec<String>,
}

/// Who decides, on which run.
#[derive(Clone, Debug, Args)]
pub(crate) struct By {
    /// The run.
    pub(crate) run: Option<RunId>,
    /// Who decides; the journal keeps it.
    #[arg(long, env = "USER", value_name = "NAME", value_parser = named)]
    pub(crate) who: String,
    /// Why; the journal keeps it.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) why: String,
    /// Your own name for this request: given again with the same request, it asks once.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) token: Option<RequestToken>,
}

/// Who decides, about which application.
#[derive(Clone, Debug, Args)]
pub(crate) struct About {
    /// The application; that of --config, or the only one that was decided about, without it.
    pub(crate) application: Option<ApplicationId>,
    /// Who decides; the journal keeps it.
    #[arg(long, env = "USER", value_name = "NAME", value_parser = named)]
    pub(crate) who: String,
    /// Why; the journal keeps it.
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub(crate) why: String,
}

/// A decision on a plan.
#[derive(Clone, Debug, Args)]
pub(crate) struct Decide {
    #[command(flatten)]
    pub(crate) by: By,
    /// How the digest of the plan begins that was looked at. The decision is refused when the run's is another.
    #[arg(long, value_name = "DIGEST")]
    pub(crate) plan: Option<String>,
}

fn named(text: &str) -> Result<String, String> {
    if text.trim().is_empty() { Err("somebody's name is needed".to_owned()) } else { Ok(text.to_owned()) }
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse::<f64>() {
        Ok(secs) if (0.0..=86_400.0).contains(&secs) => Ok(Duration::from_secs_f64(secs)),
        _ => Err("write a number of seconds from 0 to 86400".to_owned()),
    }
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
