//! From a script to what an engine takes: a plan, a run's name, an engine's name.

use std::time::Duration;

use super::{
    cell::REGIONS,
    scenario::{Scenario, StepScript},
    verbs::{Hand, Params, of_kind},
};
use crate::{
    error::{Error, ErrorKind, Result},
    model::{ApplicationId, Objectives, OwnerId, RegionId, RunId},
    plan::{Estimate, Goal, OUTPUT_KEY, Plan, PlanBuilder, RetryPolicy},
};

fn name(e: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Internal, e.to_string())
}

pub(crate) fn run() -> Result<RunId> {
    RunId::new("run").map_err(name)
}

/// The name of an engine, by its place: `engine-a`.
pub(crate) fn owner(engine: u8) -> Result<OwnerId> {
    OwnerId::new(format!("engine-{}", char::from(b'a'.saturating_add(engine)))).map_err(name)
}

/// The plan of a scenario.
pub(crate) fn plan(scenario: &Scenario, hand: &Hand) -> Result<Plan> {
    let region = |at: u8| RegionId::new(REGIONS.get(usize::from(at)).copied().unwrap_or_default()).map_err(name);
    let goal = Goal { kind: scenario.goal, from: region(0)?, to: region(scenario.to)?, mode: scenario.mode };
    let objectives = Objectives { rto: Duration::from_secs(300), rpo: Duration::from_secs(60) };
    let mut builder = PlanBuilder::new(ApplicationId::new("shop").map_err(name)?, goal, objectives);
    builder.deadline(scenario.deadline);
    for script in &scenario.steps {
        add(&mut builder, script, hand)?;
    }
    builder.build().map_err(|e| Error::new(ErrorKind::Invalid, e.to_string()))
}

fn add(builder: &mut PlanBuilder, script: &StepScript, hand: &Hand) -> Result<()> {
    let params = Params {
        sets: script.sets.clone(),
        region: script.region,
        takes_ms: script.takes_ms,
        several: script.several,
        undoes: None,
    };
    let invalid = |e: serde_json::Error| Error::new(ErrorKind::Internal, e.to_string());
    let mut params = serde_json::to_value(params).map_err(invalid)?;
    if let (Some(undone), Some(params)) = (&script.undoes, params.as_object_mut()) {
        params.insert("undoes".to_owned(), serde_json::json!({ OUTPUT_KEY: undone }));
    }
    let step = of_kind(hand, script.kind)
        .ok_or_else(|| Error::new(ErrorKind::Internal, format!("there is no verb {}", script.kind)))?;
    let retry = RetryPolicy { attempts: script.attempts, ..RetryPolicy::default() };
    let mut draft = builder
        .dyn_step(&script.id, &*step, params)
        .timeout(script.timeout)
        .retry(retry)
        .estimate(Estimate::secs(5, 30));
    for before in &script.after {
        draft = draft.after(before);
    }
    if let Some(rule) = script.ungraceful {
        draft = draft.ungraceful(rule);
    }
    if script.gate {
        draft.gate("go on?");
    }
    Ok(())
}
