//! What was decided about an application, and what people have to say to its decider.

use std::sync::Arc;

use dr_core::{
    decision::{Choice, DecisionLog, LogEntry},
    model::{ApplicationId, OwnerId, RunId},
};
use serde_json::json;

use crate::{
    cli::About,
    exit::{Exit, Stop},
    say,
    store::Store,
};

/// The decision log of the application that is meant: the one that was named, by itself or with its `dr.yaml`, or the only
/// one that there is.
async fn log(store: &Store, named: Option<ApplicationId>) -> Result<DecisionLog, Stop> {
    let journal = Arc::clone(store.engine.journal());
    let application = match named.or_else(|| store.application.clone()) {
        Some(application) => application,
        None => {
            let logs: Vec<RunId> = journal.runs().await?.into_iter().filter(DecisionLog::is_one).collect();
            let [log] = logs.as_slice() else {
                let message = match logs.len() {
                    0 => "nobody has decided about anything in this journal: name the application".to_owned(),
                    n => format!("decisions about {n} applications are in this journal: name one"),
                };
                return Err(Stop::new(if logs.is_empty() { Exit::Absent } else { Exit::Usage }, message));
            };
            let name = log.as_str().split_once('/').map(|(_, name)| name).unwrap_or_default();
            ApplicationId::new(name).map_err(|e| Stop::new(Exit::Failed, e.to_string()))?
        }
    };
    let owner = OwnerId::of_process("runs").map_err(|e| Stop::new(Exit::Failed, e.to_string()))?;
    Ok(DecisionLog::new(journal, &application, owner, store.clock.clone())?)
}

/// Why it did, or did not, fail over.
pub(crate) async fn why(store: &Store, named: Option<ApplicationId>, before: usize) -> Result<(), Stop> {
    let mut log = log(store, named).await?;
    let Some(last) = log.read().await?.last.clone() else {
        return Err(Stop::new(Exit::Absent, "nobody has decided about this application"));
    };
    if store.json {
        say(&json!({ "at": last.at, "seq": last.seq, "run": last.run, "decision": last.decision }).to_string());
        return Ok(());
    }
    let entries = log.entries().await?;
    let earlier: Vec<String> = entries
        .iter()
        .filter(|(record, _)| record.seq < last.seq)
        .filter_map(|(record, entry)| Some(format!("{}  {}", record.at, line(entry)?)))
        .collect();
    let skipped = earlier.len().saturating_sub(before);
    earlier.iter().skip(skipped).for_each(|line| say(line));
    say(&format!("{}  {}", last.at, last.decision.word()));
    say(last.decision.to_string().trim_end());
    if let Some(run) = &last.run {
        say(&format!("Run: {run}"));
    }
    entries
        .iter()
        .filter(|(record, _)| record.seq > last.seq)
        .filter_map(|(record, entry)| Some(format!("{}  {}", record.at, line(entry)?)))
        .for_each(|line| say(&line));
    Ok(())
}

fn line(entry: &LogEntry) -> Option<String> {
    Some(match entry {
        LogEntry::Changed { decision, .. } => decision.sentence(),
        LogEntry::NotStarted { run, why } => format!("run {run} did not start: {why}"),
        LogEntry::ByHand { run, goal, who, why } => format!("{who} started run {run} by hand: {goal}: {why}"),
        LogEntry::Answered { yes, who, why } => format!("{who} said {}: {why}", if *yes { "yes" } else { "no" }),
        LogEntry::Acknowledged { run, who, why } => format!("{who} acknowledged run {run}: {why}"),
        LogEntry::KillSwitch { on, who, why } => {
            format!("{who} turned the kill switch {}: {why}", if *on { "on" } else { "off" })
        }
        LogEntry::Prewarming { run, why, .. } => format!("run {run} warms the standby: {why}"),
        LogEntry::PrewarmOver { run, kept: true, why } => format!("run {run} keeps the standby warm: {why}"),
        LogEntry::PrewarmOver { run, why, .. } => format!("run {run} takes back what warmed the standby: {why}"),
        _ => return None,
    })
}

/// Throws the kill switch.
pub(crate) async fn kill_switch(store: &Store, about: About, on: bool) -> Result<(), Stop> {
    let mut log = log(store, about.application).await?;
    log.write(LogEntry::KillSwitch { on, who: about.who, why: about.why }).await?;
    done(store, if on { "nothing starts any more" } else { "failovers may start again" });
    Ok(())
}

/// Answers the question that stands.
pub(crate) async fn answer(store: &Store, about: About, yes: bool) -> Result<(), Stop> {
    let mut log = log(store, about.application).await?;
    let entry = LogEntry::Answered { yes, who: about.who, why: about.why };
    let asked = |last: &dr_core::decision::Recorded| matches!(last.decision.choice, Choice::Ask { .. });
    if log.write_if(|view| view.last.as_ref().is_some_and(asked).then_some(entry)).await? {
        done(store, if yes { "answered with yes" } else { "answered with no" });
        return Ok(());
    }
    Err(Stop::new(Exit::Refused, "no question stands: `runs why` says what was decided last"))
}

/// Lifts a block period.
pub(crate) async fn acknowledge(store: &Store, about: About, run: RunId) -> Result<(), Stop> {
    store.view(&run).await?;
    let mut log = log(store, about.application).await?;
    log.write(LogEntry::Acknowledged { run: run.clone(), who: about.who, why: about.why }).await?;
    done(store, &format!("run {run} is acknowledged"));
    Ok(())
}

fn done(store: &Store, what: &str) {
    if store.json {
        say(&json!({ "done": what }).to_string());
    } else {
        say(what);
    }
}
