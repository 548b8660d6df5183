//! Engines, steps and stores with one thing wrong each: what the simulation must notice.

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;

use super::invariant::Invariant;
use crate::{
    engine::{Command, Meddle, RunView, StepState},
    error::{Effect, Error, Result},
    plan::{Call, Plan, PlanStep},
    step::{DynStep, Observed, Reversibility, StepCx},
};

/// One thing that is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mutant {
    /// Promotes without waiting for the fence.
    SkipsTheFence,
    /// Moves traffic without waiting for the writers.
    ShiftsEarly,
    /// Begins steps while a run is being taken back.
    GoesForwardWhileUnwinding,
    /// Passes a gate that nobody has opened.
    IgnoresGates,
    /// Ends a cancelled run without taking anything back.
    ForgetsToTakeBack,
    /// Acts without a look at the world.
    ActsBeforeLooking,
    /// Repeats a call at once when nobody knows what it did.
    RepeatsBlindly,
    /// Takes a call that ended badly for one that did nothing.
    TakesDoubtForNo,
    /// Notes nothing of what stood before.
    ForgetsWhatStood,
    /// Takes an API's reply for the effect.
    TrustsReplies,
    /// Believes that its lease still runs, without asking.
    BelievesItsLease,
    /// Writes at the end of the run, wherever that is by now.
    AppendsAnywhere,
    /// Says that a record is durable before it is.
    AcknowledgesUnsynced,
    /// Acts without having written down that it will.
    LosesIntents,
    /// Gives a run up that another engine has begun, once steps were interrupted.
    GivesUpOnResuming,
    /// Never comes back to a step that another engine was at.
    ForgetsTheInterrupted,
}

impl Mutant {
    /// Every mutant.
    pub const ALL: [Self; 16] = [
        Self::SkipsTheFence,
        Self::ShiftsEarly,
        Self::GoesForwardWhileUnwinding,
        Self::IgnoresGates,
        Self::ForgetsToTakeBack,
        Self::ActsBeforeLooking,
        Self::RepeatsBlindly,
        Self::TakesDoubtForNo,
        Self::ForgetsWhatStood,
        Self::TrustsReplies,
        Self::BelievesItsLease,
        Self::AppendsAnywhere,
        Self::AcknowledgesUnsynced,
        Self::LosesIntents,
        Self::GivesUpOnResuming,
        Self::ForgetsTheInterrupted,
    ];

    /// The invariant that must notice it.
    #[must_use]
    pub const fn killed_by(self) -> Invariant {
        match self {
            Self::SkipsTheFence | Self::TakesDoubtForNo => Invariant::OneWriter,
            Self::ShiftsEarly => Invariant::TrafficFollowsWriters,
            Self::GoesForwardWhileUnwinding => Invariant::NoStepWhileUnwinding,
            Self::IgnoresGates => Invariant::GatesHold,
            Self::ForgetsToTakeBack | Self::ForgetsWhatStood => Invariant::WorldAsItWas,
            Self::ActsBeforeLooking | Self::RepeatsBlindly => Invariant::NoBlindRepetition,
            Self::TrustsReplies => Invariant::DoneMeansThere,
            Self::BelievesItsLease => Invariant::OneEngineActs,
            Self::AppendsAnywhere => Invariant::JournalMakesSense,
            Self::AcknowledgesUnsynced => Invariant::NothingLost,
            Self::LosesIntents => Invariant::IntentFirst,
            Self::GivesUpOnResuming => Invariant::EveryPrefixResumes,
            Self::ForgetsTheInterrupted => Invariant::ComesToAnEnd,
        }
    }
}

pub(crate) fn trusts_replies(mutant: Option<Mutant>) -> bool {
    mutant == Some(Mutant::TrustsReplies)
}

/// What a mutant makes of the engine's decisions.
pub(crate) fn meddle(mutant: Option<Mutant>) -> Option<Meddle> {
    let mutant = mutant?;
    matches!(
        mutant,
        Mutant::SkipsTheFence
            | Mutant::ShiftsEarly
            | Mutant::GoesForwardWhileUnwinding
            | Mutant::IgnoresGates
            | Mutant::ForgetsToTakeBack
            | Mutant::GivesUpOnResuming
            | Mutant::ForgetsTheInterrupted
    )
    .then(|| Meddle::new(move |plan, view, commands| decisions(mutant, plan, view, commands)))
}

fn decisions(mutant: Mutant, plan: &Plan, view: &RunView, mut commands: Vec<Command>) -> Vec<Command> {
    if view.ended().is_some() {
        return commands;
    }
    let wrongly = |step: &PlanStep| match mutant {
        Mutant::SkipsTheFence => step.kind == "sim.promote" && view.cancel().is_none(),
        Mutant::ShiftsEarly => step.kind == "sim.shift" && view.cancel().is_none(),
        Mutant::GoesForwardWhileUnwinding => view.cancel().is_some(),
        Mutant::IgnoresGates => {
            let ready = step.after.iter().all(|before| view.step(before.as_str()).is_some_and(|s| s.settled()));
            step.gate.is_some() && ready && view.cancel().is_none()
        }
        _ => false,
    };
    let pending = plan.steps().iter().any(|step| {
        view.step(step.id.as_str()).is_some_and(|s| matches!(s.state, StepState::Pending | StepState::Running))
    });
    if mutant == Mutant::GoesForwardWhileUnwinding && view.cancel().is_some() && pending {
        commands.clear();
    }
    for step in plan.steps() {
        let Some(state) = view.step(step.id.as_str()) else { continue };
        let begun = commands.iter().any(|c| matches!(c, Command::Start { step: other, .. } if *other == step.id));
        if state.state == StepState::Pending && !begun && wrongly(step) {
            let (step, attempt) = (step.id.clone(), state.attempts + 1);
            commands.push(Command::Start { step, attempt, pause: std::time::Duration::ZERO });
        }
    }
    let interrupted = |step: &str| view.step(step).is_some_and(|state| matches!(state.state, StepState::Interrupted));
    if mutant == Mutant::GivesUpOnResuming && plan.steps().iter().any(|step| interrupted(step.id.as_str())) {
        let (end, summary) = (crate::journal::RunEnd::Failed, "somebody else's run".to_owned());
        return vec![Command::End { end, summary, effects: Vec::new() }];
    }
    if mutant == Mutant::ForgetsTheInterrupted {
        commands.retain(|command| match command {
            Command::Start { step, .. } => !interrupted(step.as_str()),
            // Nor does it notice that the time is up.
            Command::End { end, .. } => *end != crate::journal::RunEnd::TimedOut,
            _ => true,
        });
    }
    if mutant == Mutant::ForgetsToTakeBack {
        for command in &mut commands {
            if matches!(command, Command::Compensate { .. }) {
                let summary = "cancelled, and nothing taken back".to_owned();
                *command = Command::End { end: crate::journal::RunEnd::Cancelled, summary, effects: Vec::new() };
            }
        }
    }
    commands
}

/// The step as a mutant makes it.
pub(crate) fn step(step: Arc<dyn DynStep>, mutant: Option<Mutant>) -> Arc<dyn DynStep> {
    match mutant {
        Some(
            mutant @ (Mutant::ActsBeforeLooking
            | Mutant::RepeatsBlindly
            | Mutant::TakesDoubtForNo
            | Mutant::ForgetsWhatStood),
        ) => Arc::new(Wrong { step, mutant }),
        _ => step,
    }
}

#[derive(Debug)]
struct Wrong {
    step: Arc<dyn DynStep>,
    mutant: Mutant,
}

#[async_trait]
impl DynStep for Wrong {
    fn kind(&self) -> &str {
        self.step.kind()
    }

    fn version(&self) -> u32 {
        self.step.version()
    }

    fn reversibility(&self) -> Reversibility {
        self.step.reversibility()
    }

    fn calls(&self, params: &Value) -> Result<Vec<Call>> {
        self.step.calls(params)
    }

    async fn before_image(&self, cx: &StepCx, params: &Value) -> Result<Option<Value>> {
        let before = self.step.before_image(cx, params).await?;
        // Zeroes are noted instead of what stands: a note there is, but a wrong one.
        let wrong = |before: Value| match before {
            Value::Array(values) => Value::Array(values.iter().map(|_| Value::from(77)).collect()),
            other => other,
        };
        Ok(if self.mutant == Mutant::ForgetsWhatStood { before.map(wrong) } else { before })
    }

    async fn observe(&self, cx: &StepCx, params: &Value) -> Result<Observed<Value>> {
        if self.mutant == Mutant::ActsBeforeLooking && cx.attempt > 1 {
            return Ok(Observed::NotStarted);
        }
        self.step.observe(cx, params).await
    }

    async fn execute(&self, cx: &StepCx, params: &Value) -> Result<Value> {
        let first = self.step.execute(cx, params).await;
        let doubt = |error: &Error| error.effect() != Effect::NotApplied;
        match first {
            Err(error) if doubt(&error) && self.mutant == Mutant::RepeatsBlindly => self.step.execute(cx, params).await,
            Err(error) if doubt(&error) && self.mutant == Mutant::TakesDoubtForNo => {
                Err(error.with_effect(Effect::NotApplied))
            }
            other => other,
        }
    }

    async fn verify(&self, cx: &StepCx, params: &Value, output: &Value) -> Result<()> {
        self.step.verify(cx, params, output).await
    }

    async fn compensate(&self, cx: &StepCx, params: &Value, output: Option<&Value>) -> Result<()> {
        self.step.compensate(cx, params, output).await
    }
}
