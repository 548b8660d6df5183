//! `drill estimate`: what the plan may be expected to take, without breaking anything.

use std::fs;

use dr_core::{
    estimate::{Comparison, Model, Prediction, WhatIf, on_paused_time, predict, to_svg, to_text},
    plan::{Goal, GoalKind, Mode},
    planner::{BeforeImages, PlanOptions, Planner, survey},
};
use serde_json::json;

use crate::{
    cli::Estimate,
    exit::{Exit, Stop},
    platform::Platform,
    scene::Scene,
};

/// How many drills the real engine plays when it is asked to confirm: it is hundreds of times slower.
const CONFIRMED: u32 = 200;

pub(crate) async fn estimate(asked: Estimate) -> Result<Exit, Stop> {
    let mut model = match &asked.model {
        Some(file) => {
            let text =
                fs::read_to_string(file).map_err(|e| Stop::usage(format!("{} cannot be read: {e}", file.display())))?;
            Model::read(&file.display().to_string(), &text).map_err(|errors| Stop::usage(errors.to_string()))?
        }
        None => of_the_lab(&asked).await?,
    };
    if let Some(drills) = asked.drills {
        model.drills = drills;
    }
    if let Some(seed) = asked.seed {
        model.seed = seed;
    }
    if let Some(file) = &asked.write_model {
        write(file, &model.to_json())?;
    }
    let played = |model: &Model| predict(model).map_err(|invalid| Stop::usage(invalid.to_string()));
    let base = played(&model)?;
    let mut changes = Vec::new();
    for change in &asked.what_if {
        let changed = model.with(change).map_err(Stop::usage)?;
        changes.push(Comparison { change: change.to_string(), prediction: played(&changed)? });
    }
    if let Some(file) = &asked.svg {
        write(file, &to_svg(&base, &changes))?;
    }
    let confirmed = if asked.confirm { Some(confirm(&model)?) } else { None };
    if asked.json {
        let changes: Vec<_> =
            changes.iter().map(|change| json!({ "change": change.change, "prediction": change.prediction })).collect();
        println!("{}", json!({ "model": model, "prediction": base, "what_if": changes, "confirmed": confirmed }));
    } else {
        print!("{}", to_text(&model, &base, &changes));
        if let Some((queue, engine)) = &confirmed {
            println!("\n{}", agreement(queue, engine));
        }
    }
    let met = base.rto_met.share >= asked.at_least && base.rpo_met.is_none_or(|met| met.share >= asked.at_least);
    Ok(if met { Exit::Met } else { Exit::Missed })
}

/// The model of the failover that a drill of this file would carry out now, on a lab of its own.
async fn of_the_lab(asked: &Estimate) -> Result<Model, Stop> {
    let scene = Scene::embedded(asked.time_scale, 1).await?;
    let ended = plan_of(&scene, asked).await;
    scene.leave().await;
    ended
}

async fn plan_of(scene: &Scene, asked: &Estimate) -> Result<Model, Stop> {
    let platform = Platform::load(&asked.spec, scene.lab.endpoints(), &scene.clock())?;
    let goal =
        Goal { kind: GoalKind::Failover, from: platform.active()?, to: platform.standby()?, mode: Mode::Ungraceful };
    let inventory = survey(&platform.topology, &platform.drivers, &platform.clock).await;
    let options = PlanOptions::of(&platform.spec, goal.mode);
    let planner = Planner::new(&platform.topology, &platform.drivers);
    let plan =
        planner.plan(goal, &inventory, &BeforeImages::default(), &options).map_err(|e| Stop::stopped(e.to_string()))?;
    Ok(Model::of(&platform.topology, &plan, &inventory))
}

/// Plays the first drills again, through the real engine, on a thread of its own: it moves the only clock that it has.
fn confirm(model: &Model) -> Result<(Prediction, Prediction), Stop> {
    let few = Model { drills: model.drills.min(CONFIRMED), ..model.clone() };
    let queue = predict(&few).map_err(|invalid| Stop::usage(invalid.to_string()))?;
    let played = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime
            .map_err(|e| e.to_string())
            .and_then(|runtime| runtime.block_on(on_paused_time(&few)).map_err(|error| error.to_string()))
    });
    let engine = played.join().map_err(|_| Stop::stopped("the engine's drills did not end"))?.map_err(Stop::stopped)?;
    Ok((queue, engine))
}

fn agreement(queue: &Prediction, engine: &Prediction) -> String {
    let apart = queue.curve.iter().zip(&engine.curve).map(|(queue, engine)| (queue - engine).abs()).fold(0.0, f64::max);
    let equal = queue.curve.len() == engine.curve.len() && apart < 0.001;
    format!(
        "  The real engine and the real quorum, on paused time, played the first {} of these drills: {}",
        engine.drills,
        if equal { "every recovery time is the same".to_owned() } else { format!("they differ by up to {apart:.3} s") },
    )
}

fn write(file: &std::path::Path, text: &str) -> Result<(), Stop> {
    fs::write(file, text).map_err(|e| Stop::usage(format!("{} cannot be written: {e}", file.display())))
}

/// Reads `--what-if`.
pub(crate) fn what_if(text: &str) -> Result<WhatIf, String> {
    text.parse().map_err(|invalid: dr_core::estimate::InvalidWhatIf| invalid.to_string())
}
