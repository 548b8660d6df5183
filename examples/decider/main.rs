//! `decider`: watches, decides by the policy of dr.yaml, and carries out what it decides.

mod cli;
mod exit;
mod platform;
mod tell;

use std::{collections::BTreeSet, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser as _, error::ErrorKind};
use dr_aws::s3_journal::S3Journal;
use dr_core::{
    decision::{Decider, LagFeed, Policy, SurveyedPlans},
    detect::Watch,
    engine::{AutoApprove, Engine, OnPause, WatchedHealth},
    event::EventSink,
    journal::{Journal, MemoryJournal, SqliteJournal},
    model::OwnerId,
    plan::Mode,
    planner::PlanOptions,
    spec::{Approval, JournalPlace},
};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
    platform::Platform,
    tell::Teller,
};

/// How long a lease lasts without being renewed: as long as a decider that is started anew waits for the run of one that died.
const LEASE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // A terminal that is gone does not change how the program ends.
            let _ = error.print();
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { Exit::Usage.into() };
        }
    };
    match run(&cli).await {
        Ok(()) => Exit::Done.into(),
        Err(stop) => {
            eprintln!("decider: {}", stop.message);
            stop.exit.into()
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Stop> {
    // Signals count from here on, so that one that comes early ends it as cleanly.
    let stop = CancellationToken::new();
    let signals = tokio::spawn(until_told(stop.clone()));
    let platform = Platform::load(cli).await?;
    let (clock, spec) = (platform.clock(), platform.spec());
    let policy = Policy::of(spec).map_err(|e| Stop::new(Exit::Usage, e.to_string()))?;
    // A condition that can never hold is a failover that never happens: better to be told now than by night.
    let signals_given: BTreeSet<String> = spec.opinions.iter().map(|opinion| opinion.id.to_string()).collect();
    let unfed = policy.unfed(&signals_given, &LagFeed::told(&platform.topology, &platform.drivers));
    if !unfed.is_empty() {
        return Err(Stop::new(Exit::Usage, unfed.join("; ")));
    }
    let events: Arc<dyn EventSink> = Arc::new(Teller { json: cli.json });
    let (journal, shown) = journal(cli, &platform).await?;

    let mut watch = Watch::of(spec, &clock)?;
    let (sender, standings) = watch.standings();
    let owner = OwnerId::of_process("decider").map_err(|e| Stop::new(Exit::Failed, e.to_string()))?;
    let mut engine = Engine::builder(journal, platform.steps.clone(), clock.clone())
        .events(Arc::clone(&events))
        .owner(owner.clone())
        .lease(LEASE)
        .patience(LEASE * 2)
        .health(Arc::new(WatchedHealth::new(standings.clone())))
        // Nobody holds a run that waits for somebody: whoever decides writes into it, and the decider takes it up again.
        .on_pause(OnPause::Return);
    if spec.approvals.point_of_no_return == Approval::Automatic {
        let (who, why) = (format!("the decision policy of {}", spec.application), "dr.yaml asks for no approval");
        engine = engine.approver(Arc::new(AutoApprove::new(who, why)));
    }
    let plans = SurveyedPlans {
        topology: platform.topology.clone(),
        drivers: platform.drivers.clone(),
        clock: clock.clone(),
        options: PlanOptions::of(spec, Mode::Ungraceful),
        waivers: spec.waivers.clone(),
    };
    let feed = LagFeed::of(&policy, &platform.topology, &platform.drivers, &clock);
    let (tell, told) = mpsc::channel(64);
    let decider = Decider::new(
        policy,
        engine.build(),
        &platform.steps,
        Arc::new(plans),
        owner,
        clock.clone(),
        Arc::clone(&events),
    )?
    .told_by(told);
    let decider = if cli.dry_run { decider.dry() } else { decider };
    watch = watch.following(decider.writer());
    for opinion in &platform.opinions {
        watch = watch.advised_by(Arc::clone(&opinion.probe), opinion.every);
    }
    say(
        cli,
        &format!(
            "decider: mode {}, journal {}{}",
            spec.decision.clone().unwrap_or_default().mode.as_str(),
            shown,
            if cli.dry_run { ", a dry run: nothing is written and nothing started" } else { "" },
        ),
    );
    let watching = async {
        let watched = watch.run(events, sender, stop.clone()).await;
        // Whoever sees nothing decides nothing.
        stop.cancel();
        watched
    };
    let deciding = async {
        let decided = decider.run(standings, stop.clone()).await;
        stop.cancel();
        decided
    };
    let feeding = async {
        if let Some(feed) = feed {
            feed.run(tell, stop.clone()).await;
        }
    };
    let (watched, decided, ()) = tokio::join!(watching, deciding, feeding);
    signals.abort();
    watched.and(decided).map_err(Stop::from)
}

/// The journal, and how it is called.
async fn journal(cli: &Cli, platform: &Platform) -> Result<(Arc<dyn Journal>, String), Stop> {
    let (clock, spec) = (platform.clock(), platform.spec());
    let file = match (&cli.journal, spec.journal.place()) {
        (Some(file), _) => file.as_path(),
        (None, Some(JournalPlace::File(file))) => file,
        (None, Some(JournalPlace::Bucket { bucket, prefix })) => {
            let shown = format!("s3://{bucket}/{prefix}");
            let found = S3Journal::of(spec, platform.config.clients().await, clock);
            let found = found.ok_or_else(|| Stop::new(Exit::Usage, format!("{shown} is no place for a journal")))?;
            return Ok((Arc::new(found), shown));
        }
        (None, None) => {
            return Err(Stop::new(Exit::Usage, "dr.yaml does not say where its journal is: --journal does"));
        }
    };
    let shown = file.display().to_string();
    // A dry run makes no file: a journal that is not there has nothing to say.
    if cli.dry_run && !file.is_file() {
        return Ok((Arc::new(MemoryJournal::new(clock)), shown));
    }
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)
            .map_err(|e| Stop::new(Exit::Failed, format!("{} cannot be made: {e}", folder.display())))?;
    }
    Ok((Arc::new(SqliteJournal::open(file, clock).await?), shown))
}

/// Waits for a signal to end.
async fn until_told(stop: CancellationToken) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let (Ok(mut terminate), Ok(mut interrupt)) =
            (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
        {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            stop.cancel();
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        stop.cancel();
    }
}

/// A line beside the events, which `--json` keeps off standard output.
fn say(cli: &Cli, text: &str) {
    use std::io::Write as _;
    if cli.json {
        eprintln!("{text}");
        return;
    }
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
