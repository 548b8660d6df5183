use std::sync::Arc;

use dr_core::{
    decision::{Blocker, Choice, DecisionLog, Facts, History, KillSwitch, LogEntry, Now, Policy, decide},
    model::{OwnerId, RunId},
    plan::Goal,
};

use crate::{drill::Drill, exit::Stop};

fn owner() -> Result<OwnerId, Stop> {
    OwnerId::of_process("drill").map_err(|e| Stop::stopped(e.to_string()))
}

fn log(drill: &Drill) -> Result<DecisionLog, Stop> {
    let journal = Arc::clone(&drill.journal);
    Ok(DecisionLog::new(journal, drill.platform.topology.application(), owner()?, drill.clock.clone())?)
}

/// What the policy of dr.yaml makes of what is seen, written down for `runs why`. The drill is somebody who starts a failover
/// by hand, and may do so against most reasons; never against the kill switch, nor toward a region that is not known to be well.
pub(crate) async fn ask_the_policy(drill: &Drill) -> Result<(), Stop> {
    let policy = Policy::of(&drill.platform.spec).map_err(|e| Stop::usage(e.to_string()))?;
    let mut facts = Facts::new(drill.diary.region.clone());
    facts.standings = drill.standings.borrow().clone();
    facts.stopped_by_file = policy.kill_switch.clone().and_then(|file| KillSwitch(file).look());
    let mut log = log(drill)?;
    let history = History { stopped_by_journal: log.read().await?.stopped.clone(), ..History::default() };
    let now = Now { monotonic: drill.clock.monotonic(), wall: drill.clock.wall() };
    let decision = decide(&policy, &facts, &history, now);
    drill.narrator.say("policy", &decision.sentence());
    let by = owner()?;
    let entry = LogEntry::Changed { decision: decision.clone(), run: None, by };
    // A drill that was taken up has said so before.
    let known = |last: &dr_core::decision::Recorded| decision.says_the_same_as(&last.decision);
    if !matches!(decision.choice, Choice::Act { .. }) {
        log.write_if(|view| (!view.last.as_ref().is_some_and(known)).then_some(entry)).await?;
    }
    let forbids = |blocker: &&Blocker| matches!(blocker, Blocker::KillSwitch { .. } | Blocker::TargetUnfit { .. });
    match decision.blockers.iter().find(forbids) {
        Some(blocker) => Err(Stop::stopped(blocker.to_string())),
        None => Ok(()),
    }
}

/// Writes down that the drill started this run.
pub(crate) async fn by_hand(drill: &Drill, run: &RunId, goal: &Goal) -> Result<(), Stop> {
    let entry = LogEntry::ByHand {
        run: run.clone(),
        goal: goal.clone(),
        who: owner()?.to_string(),
        why: "it is a drill, and its plan was agreed to".to_owned(),
    };
    log(drill)?.write(entry).await?;
    Ok(())
}
