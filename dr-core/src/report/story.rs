//! What happened, in words, in the order of time.

use super::{DrillReport, MomentKind, Offset, RunReport, StepOutcome, offset::spoken, table::thousands};
use crate::{journal::RunEnd, plan::GoalKind};

/// One sentence of the story.
#[derive(Debug, PartialEq)]
pub(super) struct Line {
    pub(super) at: Offset,
    pub(super) what: String,
}

/// The drill in a paragraph.
pub(super) fn summary(report: &DrillReport) -> String {
    let mut text = format!("{} was lost at T+0: {}. ", report.fault.region, report.fault.what);
    // What only warmed the standby has moved nothing.
    if let Some(run) = report.runs.iter().find(|run| run.goal.kind != GoalKind::Prewarm) {
        text += &format!("{} moved from {} to {} ", report.application, run.goal.from, run.goal.to);
        text += &format!("in a run of {}. ", spoken(run.length_s()));
    }
    match report.measured.rto_s {
        Some(rto) => text += &format!("The longest gap that clients felt was {}; ", spoken(rto)),
        None => text += "The longest gap that clients felt could not be measured; ",
    }
    text += &match report.measured.writes_lost {
        0 => format!("none of the {} acknowledged writes was lost. ", thousands(report.measured.writes_acked)),
        1 => format!("one of the {} acknowledged writes was lost. ", thousands(report.measured.writes_acked)),
        lost => format!("{lost} of the {} acknowledged writes were lost. ", thousands(report.measured.writes_acked)),
    };
    text += if report.restored() {
        "Afterwards the stack was as it had been."
    } else if report.compared.is_empty() {
        "The stack was not compared with how it had been."
    } else {
        "Afterwards the stack differed from how it had been."
    };
    text
}

/// The drill, sentence by sentence.
pub(super) fn lines(report: &DrillReport) -> Vec<Line> {
    let mut lines: Vec<Line> = report
        .all_moments()
        .into_iter()
        .map(|moment| Line { at: moment.at, what: sentence(&moment.what, moment.kind) })
        .collect();
    for run in &report.runs {
        lines.extend(of_run(run));
    }
    if let Some(outage) = report.outage {
        lines.push(Line { at: outage.from, what: "The last request that was served before the gap.".to_owned() });
        let what =
            format!("The first request that was served after it: {} later.", spoken(outage.to.since(outage.from)));
        lines.push(Line { at: outage.to, what });
    }
    lines.sort_by(|a, b| a.at.secs().total_cmp(&b.at.secs()));
    lines
}

fn of_run(run: &RunReport) -> Vec<Line> {
    let began = format!("The {} began: {} steps, plan {}.", run.goal, run.steps.len(), run.plan.short());
    let mut lines = vec![Line { at: run.started, what: began }];
    for step in run.steps.iter().filter(|step| step.attempts > 1 || step.why.is_some()) {
        let Some(at) = step.ended else { continue };
        let why = step.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        let what = match step.outcome {
            StepOutcome::Done | StepOutcome::Already => format!("{} took {} attempts{why}.", step.id, step.attempts),
            StepOutcome::Skipped => format!("{} was skipped{why}.", step.id),
            outcome => format!("{} {} after {} attempts{why}.", step.id, outcome.as_str(), step.attempts),
        };
        lines.push(Line { at, what });
    }
    let how = match run.end {
        Some(RunEnd::Completed) => "completed",
        Some(RunEnd::CompletedWithExceptions) => "completed with exceptions",
        Some(RunEnd::Failed) => "failed",
        Some(RunEnd::Cancelled) => "was cancelled",
        Some(RunEnd::TimedOut) => "ran out of time",
        Some(RunEnd::Dirty) => "ended without having put everything back",
        None => "was last heard of",
    };
    let mut what = format!("The {} {how} after {}", run.goal.kind, spoken(run.length_s()));
    let longest = longest(run);
    if !longest.is_empty() {
        what += &format!("; most of that was {}", longest.join(", "));
    }
    what.push('.');
    lines.push(Line { at: run.ended, what });
    lines
}

/// What a run's journal proves beside its steps, in sentences: what was lost, when the application was back, what stands.
pub(super) fn evidence(run: &RunReport) -> Vec<String> {
    let mut sentences = Vec::new();
    if let Some(rpo) = &run.rpo {
        sentences.push(format!("What was lost, by the lag at promotion: {rpo}."));
    }
    if let Some(time) = &run.recovery {
        let said = |length: std::time::Duration| spoken(length.as_secs_f64());
        let (whole, run, green) = (said(time.total()), said(time.execution), said(time.until_green));
        let verdict = if time.met() { "met" } else { "missed" };
        let objective = said(time.objective);
        sentences.push(format!(
            "Recovered in {whole}: {run} to the end of the last step, and {green} more until health was green for good. \
             The objective of {objective} was {verdict}."
        ));
    }
    for effect in &run.effects_left {
        let place = effect.region.as_ref().map(|region| format!(" in {region}")).unwrap_or_default();
        sentences.push(format!("This stands, though it was to be put back: {}{place} ({}).", effect.step, effect.why));
    }
    sentences
}

/// The three longest steps of the critical path, with their lengths.
fn longest(run: &RunReport) -> Vec<String> {
    let critical = run.critical();
    let mut steps: Vec<(f64, &str)> = run
        .steps
        .iter()
        .filter(|step| critical.contains(&step.id))
        .filter_map(|step| Some((step.length_s()?, step.id.as_str())))
        .collect();
    steps.sort_by(|a, b| b.0.total_cmp(&a.0));
    steps.into_iter().take(3).map(|(length, id)| format!("{id} ({})", spoken(length))).collect()
}

/// The moment's words as a sentence.
fn sentence(what: &str, kind: MomentKind) -> String {
    let mut chars = what.chars();
    // A name keeps its small letter, such as a region's.
    let starts_with_name = what.split_whitespace().next().is_some_and(|word| word.contains(['-', '/', '.', '_']));
    let text = match chars.next() {
        Some(first) if !starts_with_name && kind != MomentKind::Decided => {
            first.to_uppercase().chain(chars).collect::<String>()
        }
        _ => what.to_owned(),
    };
    if text.ends_with(['.', '?', '!']) { text } else { format!("{text}.") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_becomes_a_sentence_and_a_name_stays_a_name() {
        assert_eq!(sentence("the region came back", MomentKind::RegionBack), "The region came back.");
        assert_eq!(sentence("us-east-1 came back", MomentKind::RegionBack), "us-east-1 came back.");
        assert_eq!(sentence("the run asked: go on?", MomentKind::ApprovalAsked), "The run asked: go on?");
    }
}
