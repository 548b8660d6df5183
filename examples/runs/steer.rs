use dr_core::{
    engine::{Control, RunSummary, RunView},
    model::{RunId, StepId},
    plan::PlanDigest,
};
use serde_json::json;

use crate::{
    cli::{By, Decide},
    exit::{Exit, Stop},
    say,
    store::Store,
};

pub(crate) async fn pause(store: &Store, by: By) -> Result<(), Stop> {
    steer(store, by, "paused", |_, who, why| Ok(Control::Pause { who, why })).await
}

pub(crate) async fn resume(store: &Store, by: By) -> Result<(), Stop> {
    steer(store, by, "told to go on", |_, who, why| Ok(Control::Resume { who, why })).await
}

pub(crate) async fn retry(store: &Store, step: StepId, by: By) -> Result<(), Stop> {
    let done = format!("told to try {step} again");
    steer(store, by, &done, |_, who, why| Ok(Control::Retry { step, who, why })).await
}

pub(crate) async fn skip(store: &Store, step: StepId, by: By) -> Result<(), Stop> {
    let done = format!("told to go on without {step}");
    steer(store, by, &done, |_, who, why| Ok(Control::Skip { step, who, why })).await
}

pub(crate) async fn ungraceful(store: &Store, step: Option<StepId>, by: By) -> Result<(), Stop> {
    let done = match &step {
        Some(step) => format!("switched to ungraceful for {step}"),
        None => "switched to ungraceful".to_owned(),
    };
    steer(store, by, &done, |_, who, why| Ok(Control::Ungraceful { step, who, why })).await
}

pub(crate) async fn approve(store: &Store, decide: Decide) -> Result<(), Stop> {
    let wanted = decide.plan;
    steer(store, decide.by, "approved", |view, who, why| {
        Ok(Control::Approve { plan: looked_at(view, wanted)?, findings: Some(view.findings_digest()), who, why })
    })
    .await
}

pub(crate) async fn reject(store: &Store, decide: Decide) -> Result<(), Stop> {
    let wanted = decide.plan;
    steer(store, decide.by, "rejected", |view, who, why| {
        Ok(Control::Reject { plan: looked_at(view, wanted)?, findings: Some(view.findings_digest()), who, why })
    })
    .await
}

pub(crate) async fn cancel(store: &Store, leave: bool, by: By) -> Result<(), Stop> {
    let done = if leave { "cancelled, and what was done is left" } else { "cancelled" };
    steer(store, by, done, |_, who, why| Ok(Control::Cancel { who, why, compensate: !leave })).await
}

/// The plan that the decision is about: the run's, unless somebody looked at another.
fn looked_at(view: &RunView, wanted: Option<String>) -> Result<PlanDigest, Stop> {
    match wanted {
        Some(wanted) if wanted.is_empty() || !view.plan().digest().to_string().starts_with(&wanted) => Err(Stop::new(
            Exit::Refused,
            format!(
                "the decision is about plan {wanted}, but run {} runs plan {}",
                view.run(),
                view.plan().digest().short()
            ),
        )),
        _ => Ok(view.plan().digest().clone()),
    }
}

async fn steer(
    store: &Store,
    by: By,
    done: &str,
    control: impl FnOnce(&RunView, String, String) -> Result<Control, Stop>,
) -> Result<(), Stop> {
    let run: RunId = store.run(by.run.as_ref()).await?;
    let view = store.view(&run).await?;
    let before = RunSummary::of(&view);
    let control = control(&view, by.who, by.why)?;
    match by.token {
        Some(token) => store.engine.ask(&run, token, &control).await?,
        None => store.engine.control(&run, control).await?,
    }
    let after = RunSummary::of(&store.view(&run).await?);
    if store.json {
        say(&json!({ "run": run, "done": done, "before": before.state, "state": after.state }).to_string());
    } else {
        say(&format!("run {run} is {done}; it was {}, and is {}", before.state, after.state));
    }
    Ok(())
}
