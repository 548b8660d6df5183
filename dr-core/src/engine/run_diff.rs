use std::{fmt, time::Duration};

use serde::{Deserialize, Serialize};

use super::{RunState, RunView, StepState, StepView};
use crate::{
    journal::{Decision, Signed},
    model::{RunId, StepId},
    plan::{Plan, PlanDiff, PlanStep, Ungraceful, diff},
};

/// One way in which a step went otherwise than planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "deviation", rename_all = "kebab-case")]
pub enum Deviation {
    /// It was passed over.
    Skipped {
        /// Why.
        reason: String,
    },
    /// The run ended, or stands, without it.
    NotDone {
        /// How far it is.
        state: String,
    },
    /// It took more than one attempt.
    Retried {
        /// How many.
        attempts: u32,
    },
    /// It took longer than nineteen of twenty were expected to.
    Slower {
        /// From its first attempt's start to its end.
        took: Duration,
        /// What was expected.
        p95: Duration,
    },
    /// It was made by its rule for ungraceful mode, because somebody switched it.
    Forced {
        /// The rule.
        rule: Ungraceful,
    },
    /// Its effect was there before anybody acted.
    AlreadyThere,
    /// Its effect was taken back.
    TakenBack,
    /// Its effect could not be taken back and was left.
    LeftStanding {
        /// Why.
        reason: String,
    },
}

/// A step that went otherwise than planned.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Deviating {
    /// The step.
    pub step: StepId,
    /// How.
    pub deviations: Vec<Deviation>,
}

/// Who answered at a gate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateAnswer {
    /// The step behind the gate.
    pub step: StepId,
    /// What was decided; absent while nobody has, or when nobody was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<Decision>,
    /// Who decided, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Signed>,
}

/// What a run did, held against a plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunDiff {
    /// The run.
    pub run: RunId,
    /// How far it is.
    pub state: RunState,
    /// How the plan that it runs differs from the one it is held against; absent when they are one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanDiff>,
    /// The steps that went otherwise than planned, in the plan's order.
    pub steps: Vec<Deviating>,
    /// Who answered at each gate.
    pub gates: Vec<GateAnswer>,
    /// Who switched what to ungraceful.
    pub switches: Vec<super::Switch>,
}

/// What a run did against a plan: skipped, repeated, slow, forced, left standing, and who opened the gates. Pure.
///
/// A plan other than the one that the run runs is compared by [`diff`] first, and step by step where both have the step.
#[must_use]
pub fn diff_run(plan: &Plan, view: &RunView) -> RunDiff {
    let steps = plan.steps().iter().filter_map(|step| {
        let deviations = deviations(view, step, view.step(step.id.as_str())?);
        (!deviations.is_empty()).then(|| Deviating { step: step.id.clone(), deviations })
    });
    let gates = plan.steps().iter().filter_map(|step| {
        let gate = step.gate.as_ref()?;
        let may = |who: &str| gate.may_approve(who);
        let answer = view
            .approvals()
            .iter()
            .find(|approval| approval.decision == Decision::Reject || may(&approval.by.who))
            .map(|approval| (approval.decision, approval.by.clone()));
        let (decision, by) = answer.unzip();
        Some(GateAnswer { step: step.id.clone(), decision, by })
    });
    RunDiff {
        run: view.run().clone(),
        state: view.state(),
        plan: (plan.digest() != view.plan().digest()).then(|| diff(plan, view.plan())),
        steps: steps.collect(),
        gates: gates.collect(),
        switches: view.switches().to_vec(),
    }
}

fn deviations(view: &RunView, planned: &PlanStep, step: &StepView) -> Vec<Deviation> {
    let mut found = Vec::new();
    match &step.state {
        StepState::Done { already: true, .. } => found.push(Deviation::AlreadyThere),
        StepState::Done { .. } => {}
        StepState::Skipped { reason } => found.push(Deviation::Skipped { reason: reason.clone() }),
        StepState::Compensated => found.push(Deviation::TakenBack),
        StepState::LeftStanding { reason } => found.push(Deviation::LeftStanding { reason: reason.clone() }),
        other => found.push(Deviation::NotDone { state: other.as_str().to_owned() }),
    }
    if step.attempts > 1 {
        found.push(Deviation::Retried { attempts: step.attempts });
    }
    if let Some(rule) = planned.ungraceful
        && view.ungraceful(planned.id.as_str())
        && step.ungraceful
        && step.begun
    {
        found.push(Deviation::Forced { rule });
    }
    let took = step.started.zip(step.ended).map(|(started, ended)| ended.since(started));
    let p95 = planned.estimate.p95;
    if let (StepState::Done { .. }, Some(took)) = (&step.state, took)
        && !p95.is_zero()
        && took > p95
    {
        found.push(Deviation::Slower { took, p95 });
    }
    found
}

impl RunDiff {
    /// Whether the run did what the plan says, and everything of it.
    #[must_use]
    pub fn is_as_planned(&self) -> bool {
        self.plan.is_none() && self.steps.is_empty()
    }
}

impl fmt::Display for Deviation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = Duration::as_secs_f64;
        match self {
            Self::Skipped { reason } => write!(f, "skipped: {reason}"),
            Self::NotDone { state } => write!(f, "not done: {state}"),
            Self::Retried { attempts } => write!(f, "took {attempts} attempts"),
            Self::Slower { took, p95 } => {
                write!(f, "took {:.1} s, expected within {:.1} s", seconds(took), seconds(p95))
            }
            Self::Forced { rule } => write!(f, "in ungraceful mode: {rule}"),
            Self::AlreadyThere => f.write_str("was there already"),
            Self::TakenBack => f.write_str("taken back"),
            Self::LeftStanding { reason } => write!(f, "could not be taken back and was left: {reason}"),
        }
    }
}

impl fmt::Display for RunDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "Run {} is {}.", self.run, self.state)?;
        if let Some(plan) = &self.plan {
            writeln!(f, "It runs another plan. {plan}")?;
        }
        if self.is_as_planned() {
            writeln!(f, "Every step went as planned.")?;
        }
        for step in &self.steps {
            let said: Vec<String> = step.deviations.iter().map(ToString::to_string).collect();
            writeln!(f, "  {}: {}", step.step, said.join("; "))?;
        }
        for gate in &self.gates {
            match (&gate.decision, &gate.by) {
                (Some(decision), Some(by)) => {
                    let verb = match decision {
                        Decision::Approve => "opened",
                        Decision::Reject => "kept shut",
                    };
                    writeln!(f, "  gate before {}: {verb} by {}: {}", gate.step, by.who, by.why)?;
                }
                _ => writeln!(f, "  gate before {}: nobody decided", gate.step)?,
            }
        }
        for switch in &self.switches {
            let what = switch.part.as_ref().map_or("the run", |part| part.as_str());
            writeln!(f, "  {what} was switched to ungraceful by {}: {}", switch.by.who, switch.by.why)?;
        }
        Ok(())
    }
}
