use std::collections::{BTreeMap, BTreeSet};

use super::{
    Act, Answered, Attempt, Choice, DecisionLog, DecisionView, FailedStart, History, Moved, Now, OpenRun, Policy,
    Warmed, ages::Ages,
};
use crate::{
    engine::{Engine, RunState, RunSummary},
    error::Result,
    model::{RegionId, RunId},
    plan::{Goal, GoalKind},
    time::Timestamp,
};

/// The runs of the journal that concern an application, each read again until it has ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    ended: BTreeMap<RunId, Option<RunSummary>>,
    /// Runs of the application, in the order of their creation.
    runs: Vec<RunSummary>,
    ages: Ages,
}

/// Whether a run of this kind moves where the application runs.
fn moves(goal: &Goal) -> bool {
    matches!(goal.kind, GoalKind::Failover | GoalKind::Switchover | GoalKind::Failback)
}

/// Whether every step of a run was made: what it leads to is so, however well it is there.
fn made(run: &RunSummary) -> bool {
    run.state.is_success() || matches!(run.state, RunState::MonitoringHealth | RunState::Failed)
}

/// What a run waits for, while it waits for somebody.
fn waits(run: &RunSummary) -> Option<String> {
    let person =
        matches!(run.state, RunState::WaitingForApproval | RunState::PausedByFailure | RunState::PausedByOperator);
    person.then(|| format!("{}: {}", run.state, run.why))
}

impl Ledger {
    /// Reads what is new.
    pub(super) async fn read(&mut self, engine: &Engine, policy: &Policy) -> Result<()> {
        let mut runs = Vec::new();
        for run in engine.journal().runs().await?.into_iter().filter(|run| !DecisionLog::is_one(run)) {
            if let Some(known) = self.ended.get(&run) {
                runs.extend(known.clone());
                continue;
            }
            let view = engine.view(&run).await?;
            let concerned = view.plan().applications().contains(&policy.application);
            let summary = concerned.then(|| RunSummary::of(&view));
            if view.ended().is_some() || !concerned {
                self.ended.insert(run, summary.clone());
            }
            runs.extend(summary);
        }
        self.runs = runs;
        Ok(())
    }

    /// The region that takes the writes, by the runs that moved them.
    pub(super) fn writer<'a>(&'a self, policy: &'a Policy) -> &'a RegionId {
        let moved = self.runs.iter().rev().find(|run| made(run) && moves(&run.goal));
        moved.map_or(&policy.home, |run| &run.goal.to)
    }

    /// The run of this name.
    pub(super) fn run(&self, run: &RunId) -> Option<&RunSummary> {
        self.runs.iter().find(|known| known.run == *run)
    }

    /// What has happened.
    pub(super) fn history(&mut self, log: &DecisionView, now: Now) -> History {
        let mut left: BTreeSet<RegionId> = BTreeSet::new();
        for run in self.runs.iter().filter(|run| made(run)) {
            match run.goal.kind {
                GoalKind::Failover => {
                    left.remove(&run.goal.to);
                    left.insert(run.goal.from.clone());
                }
                GoalKind::Failback | GoalKind::Switchover => {
                    left.remove(&run.goal.to);
                }
                _ => {}
            }
        }
        let ages = &mut self.ages;
        let open = self.runs.iter().find(|run| !run.state.is_end() && run.goal.kind != GoalKind::Prewarm);
        let moved = self.runs.iter().rev().find(|run| run.state.is_end() && moves(&run.goal));
        let moved = moved.map(|run| Moved {
            run: run.run.clone(),
            ago: ages.of(run.last, now),
            acknowledged: log.acknowledged.get(&run.run).cloned(),
        });
        let automatic = log.acts.iter().rev().find(|act| act.by.is_none() && act.failed.is_none());
        let automatic = automatic
            // One of which no run came yet is the one to be carried out.
            .filter(|act| self.runs.iter().any(|run| run.run == act.run))
            .map(|act| Attempt { run: act.run.clone(), ago: ages.of(act.at, now) });
        // A yes that was acted upon stands until the run is there: the process may have died between the two.
        let answer =
            self.pending(log).and_then(|act| Some(Answered { yes: true, by: act.by.clone()?, goal: act.goal.clone() }));
        let ages = &mut self.ages;
        let failed_start = log.last_act().and_then(|act| act.failed.as_ref());
        let failed_start = failed_start.map(|(at, why)| FailedStart { why: why.clone(), ago: ages.of(*at, now) });
        let mut warmed_lately = 0;
        for (_, at, _) in &log.prewarmed {
            if ages.of(*at, now).as_secs() < 3600 {
                warmed_lately += 1;
            }
        }
        let warm = log.prewarmed.iter().rev().find(|(_, _, over)| !over);
        let warm =
            warm.map(|(run, at, _): &(RunId, Timestamp, bool)| Warmed { run: run.clone(), ago: ages.of(*at, now) });
        History {
            open: open.map(|run| OpenRun { run: run.run.clone(), goal: run.goal.clone(), waits: waits(run) }),
            automatic,
            moved,
            left,
            answer: answer.or_else(|| log.answer.clone()),
            failed_start,
            stopped_by_journal: log.stopped.clone(),
            warm,
            warmed_lately,
        }
    }

    /// What a run of the application waits for, while one waits for somebody; the runs that warm the standby wait for the
    /// verdict alone.
    pub(super) fn waiting(&self) -> Option<(&RunId, String)> {
        let mut open = self.runs.iter().filter(|run| !run.state.is_end() && run.goal.kind != GoalKind::Prewarm);
        open.find_map(|run| Some((&run.run, waits(run)?)))
    }

    /// The run that came of the last decision to act, while it has not ended.
    pub(super) fn open_act(&self, log: &DecisionView) -> Option<RunId> {
        let act = log.last_act()?;
        self.run(&act.run).filter(|run| !run.state.is_end()).map(|run| run.run.clone())
    }

    /// The last decision, when it is one to act and its run is not there yet.
    pub(super) fn pending<'a>(&self, log: &'a DecisionView) -> Option<&'a Act> {
        let last = log.last.as_ref().filter(|last| matches!(last.decision.choice, Choice::Act { .. }))?;
        let act = log.last_act().filter(|act| last.run.as_ref() == Some(&act.run) && act.failed.is_none())?;
        self.run(&act.run).is_none().then_some(act)
    }
}
