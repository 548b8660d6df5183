use crate::{
    engine::{RunView, StepState, engine::Core},
    error::{Effect, Error, ErrorKind, Result},
};

/// The error of a plan that this program cannot carry out: with steps that it does not know, or a recovery goal that it
/// cannot watch.
pub(in crate::engine) fn check_steps(core: &Core, view: &RunView) -> Result<()> {
    if view.plan().recovery().is_some() && core.health.is_none() {
        let message = "the plan has a recovery goal, and this program was given no health source to watch it with";
        return Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied));
    }
    let unknown: Vec<String> = view
        .steps()
        .filter(|(_, state)| !matches!(state.state, StepState::Skipped { .. } | StepState::Compensated))
        .filter(|(planned, _)| core.steps.get(&planned.kind).is_none_or(|step| step.version() != planned.version))
        .map(|(planned, _)| format!("{} ({} version {})", planned.id, planned.kind, planned.version))
        .collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let message = format!("this program does not know these steps: {}; run a program that does", unknown.join(", "));
    Err(Error::new(ErrorKind::Unsupported, message).with_effect(Effect::NotApplied))
}
