//! Whether a journal's records are what was written.

use std::collections::{BTreeMap, BTreeSet};

use dr_core::{
    error::ErrorKind,
    journal::{ChainBreak, Checkpoint, Journal, Record, Seq, audit, verify_against},
    model::RunId,
};
use futures::TryStreamExt as _;
use serde_json::json;

use crate::{
    checkpoints::{self, Kept},
    cli::Verify,
    exit::{Exit, Stop},
    say,
    store::Store,
};

/// Checks the run, or every one, and says which are whole.
pub(crate) async fn verify(store: &Store, what: Verify) -> Result<(), Stop> {
    let Verify { run, checkpoints: file, key } = what;
    let journal = &**store.engine.journal();
    let kept = match &file {
        Some(file) => Some((checkpoints::read(file, &key)?, file.display().to_string())),
        None => None,
    };
    let mut altered = Vec::new();
    for run in runs(journal, run, kept.as_ref()).await? {
        let seen = kept.as_ref().and_then(|(kept, file)| Some((kept.get(&run)?, file.as_str())));
        match judge(journal, &run, seen).await? {
            Ok(whole) => tell(store, &run, &whole, kept.as_ref().map(|(_, file)| file.as_str())),
            Err(why) => altered.push(why),
        }
    }
    if altered.is_empty() { Ok(()) } else { Err(Stop::new(Exit::Altered, altered.join("; "))) }
}

/// What is checked: the run that was named, or every one that the journal or a checkpoint knows.
async fn runs(
    journal: &dyn Journal,
    named: Option<RunId>,
    kept: Option<&(BTreeMap<RunId, Vec<Kept>>, String)>,
) -> Result<Vec<RunId>, Stop> {
    let Some(run) = named else {
        let mut runs = journal.runs().await?;
        let there: BTreeSet<RunId> = runs.iter().cloned().collect();
        runs.extend(kept.into_iter().flat_map(|(kept, _)| kept.keys()).filter(|run| !there.contains(*run)).cloned());
        return Ok(runs);
    };
    match kept {
        // It would be checked against nothing, and look as if it had been.
        Some((kept, file)) if !kept.contains_key(&run) => Err(Stop::new(
            Exit::Absent,
            format!(
                "{file} has no checkpoint of run {run}: leave --checkpoints out to check the records by themselves"
            ),
        )),
        _ => Ok(vec![run]),
    }
}

/// What was found to be as it was written.
struct Whole {
    records: u64,
    head: Option<String>,
    checkpoints: usize,
    /// Up to which record checkpoints have seen them.
    seen: u64,
}

/// What is whole of a run, or where it stops being what was written.
async fn judge(
    journal: &dyn Journal,
    run: &RunId,
    seen: Option<(&Vec<Kept>, &str)>,
) -> Result<Result<Whole, String>, Stop> {
    let Some((kept, file)) = seen else {
        return match audit(journal, run).await {
            Ok(whole) if whole.records == 0 => Err(Stop::new(Exit::Absent, format!("the journal has no run {run}"))),
            Ok(whole) => {
                let head = whole.head.map(|head| head.to_string());
                Ok(Ok(Whole { records: whole.records, head, checkpoints: 0, seen: 0 }))
            }
            Err(error) if error.kind() == ErrorKind::Corrupt => Ok(Err(error.to_string())),
            Err(error) => Err(error.into()),
        };
    };
    let records: Vec<Record> = match journal.read(run, Seq(0)).try_collect().await {
        Ok(records) => records,
        Err(error) if error.kind() == ErrorKind::Corrupt => return Ok(Err(error.to_string())),
        Err(error) => return Err(error.into()),
    };
    let checkpoints: Vec<Checkpoint> = kept.iter().map(|kept| kept.checkpoint.clone()).collect();
    Ok(match verify_against(&records, &checkpoints) {
        Ok(()) => Ok(Whole {
            records: records.last().map_or(0, |last| last.seq.0),
            head: records.last().map(|last| last.digest.to_string()),
            checkpoints: kept.len(),
            seen: kept.last().map_or(0, |last| last.checkpoint.count),
        }),
        Err(broken) => Err(place(run, &broken, &records, kept, file)),
    })
}

/// Where a run stops being what was written, and the line of the checkpoint that shows it.
fn place(run: &RunId, broken: &ChainBreak, records: &[Record], kept: &[Kept], file: &str) -> String {
    let differs = |kept: &&Kept| match broken {
        ChainBreak::Truncated { signed, .. } => kept.checkpoint.count == signed.0,
        ChainBreak::Rewritten { seq } => {
            kept.checkpoint.count == seq.0
                && records.iter().any(|record| record.seq == *seq && record.digest != kept.checkpoint.head)
        }
        _ => false,
    };
    let by = kept
        .iter()
        .find(differs)
        .map_or_else(String::new, |kept| format!(" ({file} line {}, signed at {})", kept.line, kept.checkpoint.at));
    format!("the journal of run {run} is damaged: {broken}{by}")
}

fn tell(store: &Store, run: &RunId, whole: &Whole, file: Option<&str>) {
    let Whole { records, head, checkpoints, seen } = whole;
    if store.json {
        let mut told = json!({ "run": run, "records": records, "head": head });
        if let (Some(_), Some(fields)) = (file, told.as_object_mut()) {
            fields.insert("checkpoints".to_owned(), (*checkpoints).into());
            fields.insert("seen".to_owned(), (*seen).into());
        }
        say(&told.to_string());
        return;
    }
    let against = match (file, checkpoints) {
        (None, _) => String::new(),
        (Some(file), 0) => format!("; {file} has no checkpoint of it, so an end that is missing would not show"),
        (Some(_), 1) => format!(", up to record {seen} those that a checkpoint saw"),
        (Some(_), n) => format!(", up to record {seen} those that {n} checkpoints saw"),
    };
    say(&format!("run {run}: {records} records are what was written{against}"));
}
