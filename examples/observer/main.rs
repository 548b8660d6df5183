//! `observer`: looks from where it runs, as one observer of dr.yaml, and serves what it saw under its signature.

mod cli;
mod exit;
mod key;
mod serve;
mod service;

use std::{
    io::Write as _,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

use clap::{Parser as _, error::ErrorKind};
use dr_core::{
    detect::observing,
    probe::remote::{BootId, ReadingLog},
    spec::Spec,
};
use dr_lab::config::Config;
use tokio::{net::TcpListener, sync::mpsc};
use tokio_util::sync::CancellationToken;

use crate::{
    cli::Cli,
    exit::{Exit, Stop},
    service::Observer,
};

#[tokio::main(flavor = "current_thread")]
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
            eprintln!("observer: {}", stop.message);
            stop.exit.into()
        }
    }
}

async fn run(cli: &Cli) -> Result<(), Stop> {
    if let Some(file) = &cli.new_key {
        say(&key::make(file)?.to_string());
        return Ok(());
    }
    if let Some(file) = &cli.show_key {
        say(&key::read(file)?.1.to_string());
        return Ok(());
    }
    let (Some(name), Some(file)) = (&cli.observer, &cli.key) else {
        return Err(Stop::new(Exit::Usage, "--as and --key are needed"));
    };
    // Signals count from here on, so that one that comes early ends it as cleanly.
    let stop = CancellationToken::new();
    let signals = tokio::spawn(until_told(stop.clone()));
    let (signer, public) = key::read(file)?;
    let Config { spec, clock, .. } = Config::read(&cli.config, cli.lab.as_deref()).await?;
    let sampler = observing(&spec, name, &clock)?;
    let region = spec.observers.iter().find(|known| known.id == *name).map(|known| known.region.clone());
    let Some(region) = region else { return Err(Stop::new(Exit::Usage, format!("no observer is called {name}"))) };
    let (kept, silence) = keeping(&spec);
    let observer = Arc::new(Observer {
        started: clock.monotonic(),
        clock,
        region,
        signer,
        public,
        log: Mutex::new(ReadingLog::new(name.clone(), BootId::random()?, kept)),
        silence,
    });
    let failed = |e: std::io::Error| Stop::new(Exit::Failed, format!("it cannot listen at {}: {e}", cli.listen));
    let listener = TcpListener::bind(cli.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    match cli.print_address {
        true => say(&address.to_string()),
        false => say(&format!("{name} listens at http://{address}; its key is {public} ({})", public.fingerprint())),
    }
    let (out, mut seen) = mpsc::channel(1024);
    let keep = async {
        while let Some(observation) = seen.recv().await {
            observer.log().push(observation);
        }
    };
    let looking = async {
        let looked = sampler.run(out, stop.clone()).await;
        // Whoever cannot look has nothing to serve.
        stop.cancel();
        looked
    };
    let serving = serve::serve(listener, service::router(Arc::clone(&observer)), stop.clone());
    let (looked, (), ()) = tokio::join!(looking, keep, serving);
    signals.abort();
    looked.map_err(Stop::from)
}

/// How many readings are kept, and how long without one is too long. A puller that lost touch for as long as readings are
/// worth anything misses none.
fn keeping(spec: &Spec) -> (usize, Duration) {
    let checks = spec.probes.len().saturating_mul(spec.regions.len());
    let longest = spec.probes.iter().map(|probe| probe.interval + probe.timeout).max().unwrap_or_default();
    let worth = longest * 6;
    let each = spec.probes.iter().map(|probe| worth.as_nanos().div_ceil(probe.interval.as_nanos().max(1))).max();
    let each = usize::try_from(each.unwrap_or(1)).unwrap_or(usize::MAX);
    (each.saturating_mul(checks).clamp(1_024, 1 << 20), longest * 3)
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

/// Prints a line. Whoever read standard output has gone: that is no failure of what was asked.
fn say(text: &str) {
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}
