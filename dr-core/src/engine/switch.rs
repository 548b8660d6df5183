use super::{RunView, StepState, backoff, control::refuse};
use crate::{
    error::{Effect, Error, ErrorKind, Result},
    journal::{Entry, Outcome},
    model::StepId,
    plan::Ungraceful,
};

/// The records by which a run, a group or a step is switched to ungraceful: with them go the steps that the plan passes
/// over in that mode and that have not begun, or have failed for good.
pub(super) fn switch(view: &RunView, part: Option<StepId>, who: String, why: String) -> Result<Vec<Entry>> {
    let plan = view.plan();
    if let Some(part) = &part
        && plan.position(part.as_str()).is_none()
        && plan.group(part.as_str()).is_none()
    {
        let message = format!("the plan of run {} has no step or group {part}", view.run());
        return Err(Error::new(ErrorKind::NotFound, message).with_effect(Effect::NotApplied));
    }
    if view.cancel().is_some() {
        return refuse(format!("run {} is being cancelled: no step is made any more", view.run()));
    }
    let what = part.as_ref().map_or("the plan", |part| part.as_str());
    let ruled: Vec<_> = plan
        .places_of(part.as_ref().map(StepId::as_str))
        .into_iter()
        .filter_map(|at| plan.steps().get(at))
        .filter_map(|step| Some((step, step.ungraceful?, view.step(step.id.as_str())?)))
        .collect();
    if ruled.is_empty() {
        return refuse(format!("{what} has no rule for ungraceful mode: retry or skip what failed, or cancel the run"));
    }
    let fresh: Vec<_> =
        ruled.iter().filter(|(step, _, state)| !state.settled() && !view.ungraceful(step.id.as_str())).collect();
    if fresh.is_empty() {
        return if ruled.iter().any(|(step, _, _)| view.ungraceful(step.id.as_str())) {
            Ok(Vec::new())
        } else {
            refuse(format!("everything in {what} that has a rule for ungraceful mode has ended"))
        };
    }
    let reason = format!("ungraceful, {who}: {why}");
    let passed = fresh.into_iter().filter_map(|(step, rule, state)| {
        let open = state.state == StepState::Pending || backoff::exhausted(step, state);
        let outcome = Outcome::Skipped { reason: reason.clone() };
        (*rule == Ungraceful::Skip && open).then(|| Entry::StepOutcome {
            step: step.id.clone(),
            attempt: state.attempts,
            outcome,
        })
    });
    let passed: Vec<Entry> = passed.collect();
    Ok(std::iter::once(Entry::ModeSwitched { step: part, who, why }).chain(passed).collect())
}
