use std::time::Duration;

use super::{
    Answered, Blocker, Choice, Condition, ConditionState, Decision, Facts, Gray, History, Mode, Need, Now, Policy,
    RegionReading,
};
use crate::{
    detect::{GrayFailure, Standing, Verdict},
    model::RegionId,
    plan::{Goal, GoalKind, Mode as PlanMode},
    probe::Spoken,
    time::Monotonic,
};

/// How long after a start that failed the next is tried.
const RETRY: Duration = Duration::from_secs(60);

/// What to do, by a policy, about what is seen, after what has happened. Pure: equal inputs make equal decisions.
///
/// It acts only when nothing speaks against it, and it says everything that does.
#[must_use]
pub fn decide(policy: &Policy, facts: &Facts, history: &History, now: Now) -> Decision {
    let from = &facts.writer;
    let to = target(policy, facts, history);
    let mut blockers = Vec::new();
    stopped(facts, history, &mut blockers);
    lost(facts, &mut blockers);
    fit(facts, history, to, &mut blockers);
    if let Some(open) = &history.open {
        let (run, goal, waits) = (open.run.clone(), open.goal.clone(), open.waits.clone());
        blockers.push(Blocker::RunOpen { run, goal, waits });
    }
    let conditions: Vec<ConditionState> =
        policy.conditions.iter().map(|condition| state(condition, facts, to, now.monotonic)).collect();
    for state in conditions.iter().filter(|state| !state.holds) {
        let why = match state.so_for {
            Some(so_for) => {
                format!("only for {} of {}: {}", Spoken(so_for), Spoken(state.lasting), state.saw)
            }
            None => state.saw.clone(),
        };
        blockers.push(Blocker::Condition { name: state.name.clone(), why });
    }
    if let Some(failed) = &history.failed_start
        && let Some(left) = left(RETRY, failed.ago)
    {
        blockers.push(Blocker::StartFailed { why: failed.why.clone(), left });
    }
    let goal = to.map(|to| goal(from, to));
    let answer = history.answer.as_ref().filter(|answer| Some(&answer.goal) == goal.as_ref());
    match policy.mode {
        Mode::Manual => blockers.push(Blocker::Manual),
        Mode::Ask => {
            if let Some(Answered { yes: false, by, .. }) = answer {
                blockers.push(Blocker::Refused { who: by.who.clone(), why: by.why.clone() });
            }
        }
        Mode::Automatic => by_itself(policy, history, now, &mut blockers),
    }
    let choice = match (goal, blockers.is_empty(), policy.mode, answer) {
        (None, ..) | (_, false, ..) | (_, _, Mode::Manual, _) => Choice::Hold,
        (Some(goal), true, Mode::Automatic, _) => Choice::Act { goal, by: None },
        (Some(goal), true, Mode::Ask, Some(Answered { yes: true, by, .. })) => {
            Choice::Act { goal, by: Some(by.clone()) }
        }
        (Some(goal), true, Mode::Ask, _) => {
            let question = format!("{} is lost: fail over to {}?", goal.from, goal.to);
            Choice::Ask { goal, question }
        }
    };
    let readings = facts.standings.iter().map(|(region, standing)| reading(region, standing, now.monotonic));
    Decision { choice, from: from.clone(), to: to.cloned(), blockers, conditions, readings: readings.collect() }
}

/// The only goal that a policy ever has: leave a region that is lost. Going back is somebody's decision.
pub(super) fn goal(from: &RegionId, to: &RegionId) -> Goal {
    Goal { kind: GoalKind::Failover, from: from.clone(), to: to.clone(), mode: PlanMode::Ungraceful }
}

/// The region to go to: the first in the policy's order that is fit, or else the first that is not the one to leave.
pub(super) fn target<'a>(policy: &'a Policy, facts: &Facts, history: &History) -> Option<&'a RegionId> {
    let others = || policy.candidates.iter().filter(|region| **region != facts.writer);
    let fit = |region: &&'a RegionId| !history.left.contains(*region) && facts.standing(region).is_some_and(is_fit);
    others().find(fit).or_else(|| others().next())
}

/// Whether a region may be gone to.
pub(super) fn is_fit(standing: &Standing) -> bool {
    !matches!(standing.verdict, Verdict::Unhealthy | Verdict::Unknown)
}

/// Who keeps everything from starting.
pub(super) fn stopped(facts: &Facts, history: &History, blockers: &mut Vec<Blocker>) {
    for (place, stopped) in [("journal", &history.stopped_by_journal), ("file", &facts.stopped_by_file)] {
        if let Some(by) = stopped {
            blockers.push(Blocker::KillSwitch { place: place.to_owned(), who: by.who.clone(), why: by.why.clone() });
        }
    }
}

/// Whether the region is lost, and enough observers hold it so at this very moment.
fn lost(facts: &Facts, blockers: &mut Vec<Blocker>) {
    let region = facts.writer.clone();
    let Some(standing) = facts.standing(&region) else {
        blockers.push(Blocker::RegionUnseen { region });
        return;
    };
    if standing.verdict != Verdict::Unhealthy {
        let (verdict, why) = (standing.verdict, standing.why.clone());
        blockers.push(Blocker::RegionNotLost { region, verdict, why });
        return;
    }
    let (against, quorum) = (standing.against(), standing.because.quorum);
    if against < quorum.max(1) {
        let (seeing, observers) = (standing.seeing(), standing.because.observers.len());
        blockers.push(Blocker::QuorumIncomplete { region, against, quorum, seeing, observers });
    }
}

/// Whether there is a region to go to.
fn fit(facts: &Facts, history: &History, to: Option<&RegionId>, blockers: &mut Vec<Blocker>) {
    let Some(to) = to else {
        blockers.push(Blocker::NowhereToGo);
        return;
    };
    if history.left.contains(to) {
        blockers.push(Blocker::WouldFailBack { region: to.clone() });
    }
    let (verdict, why) = match facts.standing(to) {
        Some(standing) if is_fit(standing) => return,
        Some(standing) => (standing.verdict, standing.why.clone()),
        None => (Verdict::Unknown, "nobody has looked".to_owned()),
    };
    blockers.push(Blocker::TargetUnfit { region: to.clone(), verdict, why });
}

/// What holds back a policy that acts by itself, and nobody else.
fn by_itself(policy: &Policy, history: &History, now: Now, blockers: &mut Vec<Blocker>) {
    for window in &policy.windows {
        if let Some(left) = window.open_for(now.wall) {
            blockers.push(Blocker::Window { why: window.to_string(), left });
        }
    }
    if let Some(last) = &history.automatic
        && let Some(left) = left(policy.spacing, last.ago)
    {
        blockers.push(Blocker::Spacing { run: last.run.clone(), left });
    }
    if let Some(moved) = &history.moved
        && moved.acknowledged.is_none()
        && let Some(left) = left(policy.block, moved.ago)
    {
        blockers.push(Blocker::BlockPeriod { run: moved.run.clone(), left });
    }
}

fn left(whole: Duration, passed: Duration) -> Option<Duration> {
    whole.checked_sub(passed).filter(|left| !left.is_zero())
}

fn reading(region: &RegionId, standing: &Standing, now: Monotonic) -> RegionReading {
    RegionReading {
        region: region.clone(),
        verdict: standing.verdict,
        lasting: now.since(standing.since),
        why: standing.why.clone(),
        because: standing.because.clone(),
    }
}

/// How a condition stands: since when what it asks for has been so, and what was seen.
fn state(condition: &Condition, facts: &Facts, to: Option<&RegionId>, now: Monotonic) -> ConditionState {
    let (since, saw) = match &condition.need {
        Need::RegionLost { gray } => region_lost(facts, *gray),
        Need::StandbyHealthy => match to.and_then(|to| facts.standing(to)) {
            Some(standing) => ((standing.verdict == Verdict::Healthy).then_some(standing.since), standing.why.clone()),
            None => (None, "nobody has looked at the region to go to".to_owned()),
        },
        Need::LagWithin { resource, at_most, fresh } => {
            let samples = facts.lags.get(resource);
            match samples.and_then(|samples| Some((samples, samples.last()?))) {
                None => (None, format!("nobody knows how far {resource} is behind")),
                Some((_, (at, lag))) if now.since(at) > *fresh => {
                    let (lag, age) = (Spoken(lag), Spoken(now.since(at)));
                    (
                        None,
                        format!(
                            "the last sample of {resource} is {age} old ({lag} behind): older than {}",
                            Spoken(*fresh)
                        ),
                    )
                }
                Some((samples, (at, lag))) => {
                    let saw = format!(
                        "{resource} was {} behind {} ago, {} allowed",
                        Spoken(lag),
                        Spoken(now.since(at)),
                        Spoken(*at_most)
                    );
                    (samples.within_since(*at_most), saw)
                }
            }
        }
        Need::Signal { signal, fresh } => match facts.signals.get(signal) {
            None => (None, format!("{signal} has said nothing")),
            Some(said) if now.since(said.at) > *fresh => {
                (None, format!("{signal} has said nothing for {}", Spoken(now.since(said.at))))
            }
            Some(said) => {
                let words = if said.why.is_empty() { String::new() } else { format!(": {}", said.why) };
                let answer = if said.value { "yes" } else { "no" };
                (said.value.then_some(said.since), format!("{signal} says {answer}{words}"))
            }
        },
    };
    let so_for = since.map(|since| now.since(since));
    let holds = so_for.is_some_and(|so_for| so_for >= condition.lasting);
    ConditionState { name: condition.name.clone(), holds, so_for, lasting: condition.lasting, saw }
}

fn region_lost(facts: &Facts, gray: Gray) -> (Option<Monotonic>, String) {
    let Some(standing) = facts.standing(&facts.writer) else {
        return (None, format!("nobody has looked at {}", facts.writer));
    };
    let wanted = match gray {
        Gray::Any => true,
        Gray::Plain => standing.because.gray.is_none(),
        Gray::Only => standing.because.gray == Some(GrayFailure::WritesFail),
    };
    let lost = standing.verdict == Verdict::Unhealthy;
    let saw = match (lost, wanted, gray) {
        (true, false, Gray::Plain) => format!("it is a gray failure, and only a plain one counts: {}", standing.why),
        (true, false, _) => format!("it is a plain failure, and only a gray one counts: {}", standing.why),
        _ => standing.why.clone(),
    };
    ((lost && wanted).then_some(standing.since), saw)
}
