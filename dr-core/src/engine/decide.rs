use std::time::Duration;

use super::{
    RunView, StepState, StepView, backoff, deadline,
    safety::{self, Ruling},
    standing,
    view::Cancel,
};
use crate::{
    journal::{Entry, RunEnd, StandingEffect},
    model::{SafetyRuleId, StepId},
    plan::{Plan, PlanStep, Ungraceful},
    probe::Spoken,
    step::Reversibility,
    time::Timestamp,
};

/// Something that should be under way. Asking for it twice asks for it once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Make an attempt: observe first, always.
    Start {
        /// The step.
        step: StepId,
        /// Which attempt it is.
        attempt: u32,
        /// How long to wait before.
        pause: Duration,
    },
    /// Ask somebody about the gates of these steps.
    AskApproval {
        /// The steps that wait.
        steps: Vec<StepId>,
    },
    /// Write down that the run waits for a decision about a failed step, or a group that is late.
    Pause {
        /// The step or group.
        step: StepId,
        /// Why, for a person.
        reason: String,
    },
    /// Go on without a step that failed for good, as the plan's rule for ungraceful mode has it.
    Skip {
        /// The step.
        step: StepId,
        /// The attempt that failed.
        attempt: u32,
        /// Why, for a person.
        reason: String,
    },
    /// Write down that a safety rule refuses a step.
    Refuse {
        /// The step.
        step: StepId,
        /// The rule.
        rule: SafetyRuleId,
        /// Why, for a person.
        why: String,
    },
    /// Write down that nobody answered a gate in time.
    Expire {
        /// The step that waited.
        step: StepId,
    },
    /// Watch the application's health.
    Watch,
    /// Tell the attempts that are under way that they are no longer wanted.
    StopRunning,
    /// Take a step's effect back.
    Compensate {
        /// The step.
        step: StepId,
        /// Which attempt to do so it is.
        attempt: u32,
        /// How long to wait before.
        pause: Duration,
    },
    /// End the run.
    End {
        /// How.
        end: RunEnd,
        /// In a sentence.
        summary: String,
        /// What stands although it should not.
        effects: Vec<StandingEffect>,
    },
}

/// What should happen next, from the plan and what the journal says: the pure heart of the engine.
///
/// `now` is compared with the moment at which the run was created, and with nothing else; the engine measures it on a
/// monotonic clock (guarantee 10). Equal inputs give equal commands, in the plan's order.
#[must_use]
pub fn decide(plan: &Plan, view: &RunView, now: Timestamp) -> Vec<Command> {
    match course(plan, view, now) {
        Course::Over => Vec::new(),
        Course::Unwind(cancel) => unwind(view, cancel),
        Course::Complete => complete(plan, view, now),
        Course::TimeOut => timed_out(plan, view),
        Course::Expire(step) => vec![Command::Expire { step: step.clone() }],
        Course::Forward => forward(view, now),
    }
}

/// Whether [`decide`] asks for the attempt that this intent announces; costs nothing that grows with the plan.
pub(super) fn wants(plan: &Plan, view: &RunView, now: Timestamp, intent: &Entry) -> bool {
    match (course(plan, view, now), intent) {
        (Course::Forward, Entry::StepIntent(intent)) => {
            // What goes on without a failed step is written down before anything else begins.
            if view.failed_for_good().any(|(step, failed)| pass(view, step, failed).is_some()) {
                return false;
            }
            let only_retries = only_retries(view, now);
            let ready = view.paused().is_none().then(|| view.find_ready(intent.step.as_str())).flatten();
            ready.is_some_and(|(step, state)| {
                let may = may_start(state, only_retries) && !closed(view, step) && is_safe(view, step);
                may && intent.attempt == state.attempts + 1
            })
        }
        (Course::Unwind(cancel), Entry::CompensationIntent { step, attempt }) => {
            let asked = |command: &Command| matches!(command, Command::Compensate { step: wanted, attempt: number, .. } if wanted == step && number == attempt);
            unwind(view, cancel).iter().any(asked)
        }
        _ => false,
    }
}

/// Where a run is heading.
enum Course<'a> {
    Over,
    Unwind(&'a Cancel),
    Complete,
    TimeOut,
    Expire(&'a StepId),
    Forward,
}

fn course<'a>(plan: &Plan, view: &'a RunView, now: Timestamp) -> Course<'a> {
    let elapsed = now.since(view.created());
    if view.ended().is_some() {
        Course::Over
    } else if let Some(cancel) = view.cancel() {
        Course::Unwind(cancel)
    } else if view.all_settled() {
        Course::Complete
    } else if elapsed >= plan.deadline() {
        Course::TimeOut
    } else if let Some((_, step)) = view.next_due().filter(|(due, _)| elapsed >= *due) {
        Course::Expire(step)
    } else {
        Course::Forward
    }
}

fn forward(view: &RunView, now: Timestamp) -> Vec<Command> {
    let mut commands: Vec<Command> =
        view.failed_for_good().filter_map(|(step, failed)| pass(view, step, failed)).collect();
    if !commands.is_empty() {
        return commands;
    }
    // A failure stops new steps, not those under way (guarantee 4); so does a group whose time is up.
    let failed = view.failed_for_good().next();
    if let Some((step, failed)) = failed
        && !view.failure_told()
    {
        commands.push(pause(step, failed));
    }
    commands.extend(deadline::late(view, now));
    if view.paused().is_none() {
        start_ready(view, only_retries(view, now), &mut commands);
    }
    commands
}

/// Goes on without a step that failed for good, where the plan says so for ungraceful mode.
fn pass(view: &RunView, step: &PlanStep, failed: &StepView) -> Option<Command> {
    let StepState::Failed { failure } = &failed.state else { return None };
    let may = step.ungraceful == Some(Ungraceful::Skip) && view.ungraceful(step.id.as_str());
    may.then(|| {
        let reason = format!("ungraceful, and it failed: {failure}");
        Command::Skip { step: step.id.clone(), attempt: failed.attempts, reason }
    })
}

/// Whether a failure, or a group whose time is up, lets nothing begin but what somebody asked for.
fn only_retries(view: &RunView, now: Timestamp) -> bool {
    view.failed_for_good().next().is_some()
        || view.late_groups().next().is_some()
        || !deadline::late(view, now).is_empty()
}

/// Every step that is ready begins at once, so that the run is as long as its critical path (guarantee 8).
fn start_ready(view: &RunView, only_retries: bool, commands: &mut Vec<Command>) {
    let mut gates = Vec::new();
    for (step, state) in view.ready().filter(|(_, state)| may_start(state, only_retries)) {
        if closed(view, step) {
            gates.push(step.id.clone());
            continue;
        }
        if view.refusal(step.id.as_str()).is_some() {
            continue;
        }
        match safety::gating(view, step) {
            Ruling::Clear => {}
            Ruling::Wait => continue,
            Ruling::Refused { rule, why } => {
                commands.push(Command::Refuse { step: step.id.clone(), rule, why });
                continue;
            }
        }
        let pause = backoff::pause(view.run(), step, state);
        commands.push(Command::Start { step: step.id.clone(), attempt: state.attempts + 1, pause });
    }
    gates.retain(|step| !view.asked().contains(step));
    if !gates.is_empty() {
        commands.push(Command::AskApproval { steps: gates });
    }
}

fn may_start(state: &StepView, only_retries: bool) -> bool {
    !only_retries || state.retry_asked
}

/// Whether a step waits at its gate. One approval of the plan's digest opens every gate that its giver may open
/// (guarantee 5).
fn closed(view: &RunView, step: &PlanStep) -> bool {
    step.gate.as_ref().is_some_and(|gate| !view.is_open(gate))
}

/// Whether no safety rule that the journal decides stands in a step's way.
fn is_safe(view: &RunView, step: &PlanStep) -> bool {
    view.refusal(step.id.as_str()).is_none() && safety::gating(view, step) == Ruling::Clear
}

fn pause(step: &PlanStep, view: &StepView) -> Command {
    let reason = match &view.state {
        StepState::Failed { failure } => format!("{} failed: {failure}", step.id),
        StepState::CompensationFailed { failure } => format!("{} could not be taken back: {failure}", step.id),
        _ => format!("{} failed", step.id),
    };
    Command::Pause { step: step.id.clone(), reason }
}

/// Every step is done or skipped: what is left is to see whether that has helped.
fn complete(plan: &Plan, view: &RunView, now: Timestamp) -> Vec<Command> {
    let Some(goal) = plan.recovery() else { return vec![completed(view)] };
    let elapsed = now.since(view.created());
    match view.monitoring() {
        None => vec![Command::Watch],
        Some(seen) if seen.recovered.is_some() => vec![completed(view)],
        Some(seen) if elapsed >= seen.until(goal) => {
            let why = if seen.why.is_empty() { String::new() } else { format!(": {}", seen.why) };
            let (stays, within) = (Spoken(goal.stays), Spoken(goal.within));
            let summary = format!(
                "{}: every step is done, but health did not stay green for {stays} within {within}{why}",
                plan.goal()
            );
            vec![Command::End { end: RunEnd::Failed, summary, effects: Vec::new() }]
        }
        Some(_) => Vec::new(),
    }
}

fn completed(view: &RunView) -> Command {
    let effects = standing::left_by_skips(view);
    let skipped: Vec<String> = view
        .steps()
        .filter(|(_, state)| matches!(state.state, StepState::Skipped { .. }))
        .map(|(step, state)| match state.may_stand() && step.reversibility != Reversibility::ReadOnly {
            true => format!("{} (which may have been done, or be done yet)", step.id),
            false => step.id.to_string(),
        })
        .collect();
    let goal = view.plan().goal();
    let (end, mut summary) = match (skipped.is_empty(), effects.is_empty()) {
        (true, _) => (RunEnd::Completed, format!("{goal}: every step is done")),
        (false, true) => (RunEnd::CompletedWithExceptions, format!("{goal}: done without {}", skipped.join(", "))),
        (false, false) => {
            (RunEnd::Dirty, format!("{goal}: done without {}, so that effects stand", skipped.join(", ")))
        }
    };
    if let Some(time) = view.recovery_time() {
        summary.push_str(&format!("; recovered in {}", Spoken(time.total())));
    }
    Command::End { end, summary, effects }
}

fn timed_out(plan: &Plan, view: &RunView) -> Vec<Command> {
    if view.under_way() {
        return vec![Command::StopRunning];
    }
    let open: Vec<&str> = view.steps().filter(|(_, step)| !step.settled()).map(|(step, _)| step.id.as_str()).collect();
    let summary = format!("{:?} were not enough; not done: {}", plan.deadline(), open.join(", "));
    let effects = if standing::is_practice(view) { standing::effects(view) } else { Vec::new() };
    let end = if effects.is_empty() { RunEnd::TimedOut } else { RunEnd::Dirty };
    vec![Command::End { end, summary, effects }]
}

/// Ends a run that somebody cancelled: what is under way stops, then what was done is taken back, last things first.
///
/// Once a step from which there is no way back was made (or may have been), nothing is taken back: the steps before it
/// protect the new state (a fence holds the old writer off) and those after it serve it (traffic has followed the writer).
/// The way back from there is a failback with a plan of its own.
fn unwind(view: &RunView, cancel: &Cancel) -> Vec<Command> {
    if view.under_way() {
        return vec![Command::StopRunning];
    }
    if !cancel.compensate || view.past_return() {
        return vec![cancelled(view, cancel)];
    }
    for (step, state) in view.standing_last_first() {
        // Only what this run changed, or may have, and only what can be restored exactly.
        if step.reversibility != Reversibility::Reversible {
            continue;
        }
        match &state.state {
            StepState::LeftStanding { .. } => {}
            StepState::Compensating => return Vec::new(),
            StepState::CompensationFailed { .. } if backoff::exhausted(step, state) => {
                return if view.failure_told() { Vec::new() } else { vec![pause(step, state)] };
            }
            _ if view.paused().is_some() => return Vec::new(),
            other => {
                let again = matches!(other, StepState::CompensationFailed { .. });
                let pause = if again { backoff::pause(view.run(), step, state) } else { Duration::ZERO };
                let attempt = state.compensations + 1;
                return vec![Command::Compensate { step: step.id.clone(), attempt, pause }];
            }
        }
    }
    vec![cancelled(view, cancel)]
}

fn cancelled(view: &RunView, cancel: &Cancel) -> Command {
    let names = |wanted: fn(&PlanStep, &StepView) -> bool| {
        let names: Vec<&str> =
            view.steps().filter(|(step, state)| wanted(step, state)).map(|(step, _)| step.id.as_str()).collect();
        names.join(", ")
    };
    let back = names(|_, state| state.state == StepState::Compensated);
    let effects = standing::effects(view);
    let stands: Vec<&str> = effects.iter().map(|effect| effect.step.as_str()).collect();
    let mut summary = match cancel.expired {
        true => cancel.by.why.clone(),
        false => format!("cancelled by {}: {}", cancel.by.who, cancel.by.why),
    };
    if !back.is_empty() {
        summary.push_str(&format!("; taken back: {back}"));
    }
    if !stands.is_empty() {
        summary.push_str(&format!("; left as it is: {}", stands.join(", ")));
    }
    let end = match (effects.is_empty(), cancel.expired) {
        (false, _) => RunEnd::Dirty,
        (true, true) => RunEnd::TimedOut,
        (true, false) => RunEnd::Cancelled,
    };
    Command::End { end, summary, effects }
}
