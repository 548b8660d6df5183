use serde::{Deserialize, Serialize};

use super::{Engine, RunState, RunView, StepState, StepView};
use crate::{
    decision::DecisionLog,
    error::Result,
    journal::Seq,
    model::{ApplicationId, OwnerId, RunId},
    plan::{Goal, PlanDigest},
    time::Timestamp,
};

/// A run in a line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RunSummary {
    /// The run.
    pub run: RunId,
    /// What fails over.
    pub application: ApplicationId,
    /// What it is for.
    pub goal: Goal,
    /// What it runs.
    pub plan: PlanDigest,
    /// How far it is, by the journal.
    pub state: RunState,
    /// What it waits for, or how it ended, in a sentence; empty while it runs.
    pub why: String,
    /// When it was created, on the wall.
    pub created: Timestamp,
    /// When its last record was written, on the wall.
    pub last: Timestamp,
    /// The place of its last record.
    pub records: Seq,
    /// The engine that took it up last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerId>,
    /// How many steps it has.
    pub steps: usize,
    /// How many of them are settled: done, or gone on without.
    pub settled: usize,
}

impl RunSummary {
    /// The summary of a view.
    #[must_use]
    pub fn of(view: &RunView) -> Self {
        Self {
            run: view.run().clone(),
            application: view.plan().application().clone(),
            goal: view.plan().goal().clone(),
            plan: view.plan().digest().clone(),
            state: view.state(),
            why: why(view),
            created: view.created(),
            last: view.last(),
            records: view.seq(),
            owner: view.owner().map(|(owner, _)| owner.clone()),
            steps: view.plan().steps().len(),
            settled: view.steps().filter(|(_, step)| StepView::settled(step)).count(),
        }
    }
}

fn why(view: &RunView) -> String {
    if let Some((_, summary)) = view.ended() {
        return summary.to_owned();
    }
    match view.state() {
        RunState::Held => view.held().unwrap_or_default().to_owned(),
        RunState::PausedByFailure => {
            let failed = view.failed_for_good().map(|(step, state)| match &state.state {
                StepState::Failed { failure } => format!("{} failed: {failure}", step.id),
                StepState::CompensationFailed { failure } => {
                    format!("{} could not be taken back: {failure}", step.id)
                }
                other => format!("{} is {}", step.id, other.as_str()),
            });
            let late = view.late_groups().map(|group| format!("the time of {} is up", group.id));
            let refused = view
                .refused()
                .map(|(step, refusal)| format!("the safety rule {} refuses {step}: {}", refusal.rule, refusal.why));
            failed.chain(late).chain(refused).collect::<Vec<_>>().join("; ")
        }
        RunState::MonitoringHealth => view.monitoring().map(|seen| seen.why.clone()).unwrap_or_default(),
        RunState::PausedByOperator => view.paused().map(|by| format!("{}: {}", by.who, by.why)).unwrap_or_default(),
        RunState::WaitingForApproval => {
            let gates = view.steps().filter(|(step, _)| view.asked().contains(&step.id));
            let questions =
                gates.filter_map(|(step, _)| Some(format!("{}: {}", step.id, step.gate.as_ref()?.question)));
            questions.collect::<Vec<_>>().join("; ")
        }
        RunState::Cancelling => match view.cancel() {
            Some(cancel) if cancel.expired => cancel.by.why.clone(),
            Some(cancel) => format!("{}: {}", cancel.by.who, cancel.by.why),
            None => String::new(),
        },
        _ => String::new(),
    }
}

impl Engine {
    /// Every run of the journal, oldest first; decision logs are no runs of a plan, and not among them. A run that cannot be read is told as such, and hides no other.
    ///
    /// # Errors
    ///
    /// As [`Journal::runs`](crate::journal::Journal::runs).
    pub async fn runs(&self) -> Result<Vec<(RunId, Result<RunSummary>)>> {
        let mut runs = Vec::new();
        for run in self.journal().runs().await?.into_iter().filter(|run| !DecisionLog::is_one(run)) {
            let summary = self.view(&run).await.map(|view| RunSummary::of(&view));
            runs.push((run, summary));
        }
        Ok(runs)
    }
}
