//! `drill`: a whole regional failover, end to end, on a lab of its own or on one that stands.

mod act;
mod approver;
mod ask;
mod attended;
mod cli;
mod diary;
mod drill;
mod estimate;
mod exit;
mod measure;
mod narrate;
mod outcome;
mod platform;
mod recovery;
mod route53;
mod savings;
mod scene;
mod table;

use std::{fs, path::PathBuf, process::ExitCode, sync::Arc, time::Duration};

use clap::{Parser as _, error::ErrorKind};
use dr_lab::{FaultPreset, Lab};

use crate::{
    ask::Consent,
    cli::{Begin, Cli, Command, Common, Resume},
    diary::{Act, Diary, Prewarm},
    drill::Drill,
    exit::{Exit, Stop},
    narrate::Narrator,
    platform::Platform,
    scene::Scene,
};

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
    let ended = match cli.command {
        Some(Command::Resume(resume)) => take_up(resume).await,
        Some(Command::Estimate(asked)) => estimate::estimate(asked).await,
        Some(Command::Route53(asked)) => route53::route53(&asked),
        None => begin(cli.begin).await,
    };
    ended
        .unwrap_or_else(|stop| {
            eprintln!("drill: {}", stop.message);
            stop.exit
        })
        .into()
}

async fn begin(begin: Begin) -> Result<Exit, Stop> {
    let Begin { fault, time_scale, seed, lab, ask, prewarm, pod_start, common } = begin;
    let consent = Consent::of(lab.is_none(), ask, common.yes)?;
    let without = Common { report: common.report.join(savings::WITHOUT), ..common.clone() };
    for common in if prewarm { vec![&without, &common] } else { vec![&common] } {
        if Diary::unfinished(&common.report) {
            return Err(Stop::usage(format!(
                "an unfinished drill is in {}: take it up with `drill resume --report {}`, or name another folder",
                common.report.display(),
                common.report.display(),
            )));
        }
        clear(common)?;
    }
    let scene = match &lab {
        Some(env_file) => Scene::standing(env_file).await?,
        None => {
            let lab = Lab::builder().time_scale(time_scale).seed(seed).pod_start(Duration::from_secs_f64(pod_start));
            Scene::built(lab).await?
        }
    };
    let begun = Begun { fault, seed, lab };
    let ended = match prewarm {
        false => one(&scene, &begun, None, common, consent).await,
        // The same outage on the same lab, so that nothing but the warming tells the two apart.
        true => match one(&scene, &begun, Some(Prewarm::Without), without, consent).await {
            Ok(Exit::Met | Exit::Missed) => one(&scene, &begun, Some(Prewarm::With), common, consent).await,
            other => other,
        },
    };
    scene.leave().await;
    ended
}

/// What the drills of one call have in common.
#[derive(Debug)]
struct Begun {
    fault: FaultPreset,
    seed: u64,
    lab: Option<PathBuf>,
}

async fn one(
    scene: &Scene,
    begun: &Begun,
    prewarm: Option<Prewarm>,
    common: Common,
    consent: Consent,
) -> Result<Exit, Stop> {
    let Begun { fault, seed, lab } = begun;
    let (fault, seed, lab) = (*fault, *seed, lab.clone());
    let clock = scene.clock();
    let platform = Platform::load(&common.spec, scene.lab.endpoints(), &clock)?;
    let diary = Diary {
        act: Act::Steady,
        fault,
        region: platform.active()?,
        seed,
        time_scale: scene.lab.endpoints().time_scale,
        lab: lab.map(|file| fs::canonicalize(&file).unwrap_or(file)),
        began: clock.wall(),
        began_s: clock.monotonic().since_origin().as_secs_f64(),
        before: None,
        fault_s: None,
        fault_at: None,
        detected_s: None,
        failover: None,
        healed_s: None,
        failback: None,
        after: None,
        differences: Vec::new(),
        moments: Vec::new(),
        preflight: Vec::new(),
        prewarm,
        warmed: None,
    };
    play(scene, platform, diary, common, consent).await
}

async fn take_up(resume: Resume) -> Result<Exit, Stop> {
    let common = resume.common;
    let diary = Diary::read(&common.report)?;
    let Some(env_file) = &diary.lab else {
        return Err(Stop::usage("that drill's lab was embedded in it and died with it: begin a new drill"));
    };
    if diary.act == Act::Report && common.report.join("report.html").exists() {
        return Err(Stop::usage(format!(
            "the drill in {} has ended: there is nothing to take up",
            common.report.display()
        )));
    }
    // Whoever killed it had agreed to it before it broke anything; what is not yet planned is asked about again.
    let consent = Consent::of(false, true, common.yes || diary.act > Act::Plan)?;
    let scene = Scene::standing(env_file).await?;
    let platform = Platform::load(&common.spec, scene.lab.endpoints(), &scene.clock())?;
    let ended = play(&scene, platform, diary, common, consent).await;
    scene.leave().await;
    ended
}

async fn play(scene: &Scene, platform: Platform, diary: Diary, common: Common, consent: Consent) -> Result<Exit, Stop> {
    let narrator = Arc::new(Narrator::new(scene.clock(), common.json));
    let lab = Arc::clone(&scene.lab);
    let whose = if scene.is_embedded() { "a lab of its own" } else { "a standing lab" };
    let which = match diary.prewarm {
        None => "",
        Some(Prewarm::Without) => ", the first of two: without pre-warming",
        Some(Prewarm::With) => ", the second of two: with pre-warming",
    };
    narrator.show(&format!(
        "Drill of {}: {} of {}, on {whose} at {} times real time (times below are the world's){which}",
        platform.topology.application(),
        diary.fault,
        diary.region,
        diary.time_scale,
    ));
    let drill = Drill::begin(platform, lab, diary, &common, consent, narrator).await?;
    drill.play().await
}

/// Takes the files of an earlier drill away, so that nothing of it is mistaken for this one's.
fn clear(common: &Common) -> Result<(), Stop> {
    for name in [
        "drill.json",
        "drill-outcome.json",
        "drill-marks.json",
        "report.md",
        "report.html",
        "journal.sqlite",
        "journal.sqlite-wal",
        "journal.sqlite-shm",
        "journal.sqlite-journal",
    ] {
        match fs::remove_file(common.report.join(name)) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                return Err(Stop::usage(format!("{} cannot be cleared: {e}", common.report.display())));
            }
            _ => {}
        }
    }
    Ok(())
}
