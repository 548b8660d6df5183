use dr_core::{
    journal::{Record, Seq},
    model::RunId,
    plan::{GoalKind, Phase},
    report::{
        ClientSeries, Compared, DrillReport, FaultReport, Measured, Moment, MomentKind, Offset, Outage, Promise,
        RunReport,
    },
};
use dr_lab::{
    clients::{ClientReport, Window},
    state::StackState,
};
use futures::TryStreamExt as _;

use crate::{act::story, drill::Drill, exit::Stop};

/// Everything that the drill found out, from the lab's clients, the surviving store and the journal.
pub(crate) async fn measure(drill: &Drill) -> Result<DrillReport, Stop> {
    let diary = &drill.diary;
    let missing = || Stop::stopped("the drill never broke anything");
    let (fault_s, fault_at) = (diary.fault_s.ok_or_else(missing)?, diary.fault_at.ok_or_else(missing)?);
    let mut runs = Vec::new();
    for run in [&diary.warmed, &diary.failover, &diary.failback].into_iter().flatten() {
        let records = records(drill, run).await?;
        let report = RunReport::from_journal(run, &records, fault_at);
        let mut report =
            report.ok_or_else(|| Stop::stopped(format!("the journal of {run} does not begin with its plan")))?;
        if report.goal.kind == GoalKind::Prewarm {
            // Its gate waits for the verdict, and nobody is asked.
            report.moments.retain(|moment| !matches!(moment.kind, MomentKind::ApprovalAsked | MomentKind::Decided));
        }
        runs.push(report);
    }
    // The outage of the fault ends where the way back begins; what the way back cost is told apart from it.
    let until = diary.healed_s.unwrap_or_else(|| drill.now_s());
    let felt = drill.lab.clients(Window::between(fault_s, until)).await?;
    let all = drill.lab.clients(Window::between(diary.began_s, drill.now_s())).await?;
    let audit = drill.lab.audit(Some(diary.began_s)).await?;
    let offset = |at_s: f64| Offset::from_secs(at_s - fault_s);
    let failover = runs.iter().find(|run| diary.failover.as_ref() == Some(&run.run));
    let gap = felt.longest_gap;
    let measured = Measured {
        rto_s: gap.filter(|gap| !gap.open).map(|gap| gap.seconds()),
        rpo_s: Some(audit.rpo_s),
        writes_acked: whole(audit.writes_acked),
        writes_lost: whole(audit.writes_lost),
        detect_s: diary.detected_s.map(|at| at - fault_s),
        promote_s: failover.and_then(|run| ended(run, Phase::Promote)),
        dns_s: failover.and_then(|run| ended(run, Phase::Shift)),
    };
    let moments = diary.moments.iter().map(|noted| Moment {
        at: offset(noted.at_s),
        kind: noted.kind,
        region: noted.region.clone(),
        what: noted.what.clone(),
    });
    Ok(DrillReport {
        application: drill.platform.topology.application().clone(),
        fault: FaultReport {
            name: diary.fault.to_string(),
            region: diary.region.clone(),
            what: story(diary.fault, diary.region.as_str()),
        },
        seed: diary.seed,
        time_scale: diary.time_scale,
        fault_at,
        objectives: drill.platform.topology.objectives(),
        measured,
        promises: Promise::runbook(),
        outage: gap.map(|gap| Outage { from: offset(gap.from_s), to: offset(gap.to_s) }),
        clients: series(&all, fault_s),
        moments: moments.collect(),
        runs,
        compared: compared(diary.before.as_ref(), diary.after.as_ref()),
    })
}

async fn records(drill: &Drill, run: &RunId) -> Result<Vec<Record>, Stop> {
    Ok(drill.journal.read(run, Seq(0)).try_collect().await?)
}

fn whole(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// When the last step of a phase had ended, in seconds since the fault.
pub(crate) fn ended(run: &RunReport, phase: Phase) -> Option<f64> {
    let steps = run.steps.iter().filter(|step| step.phase == phase);
    steps.filter_map(|step| step.ended).map(Offset::secs).max_by(f64::total_cmp)
}

/// What clients felt, a bucket a second.
fn series(report: &ClientReport, fault_s: f64) -> ClientSeries {
    let from = report.buckets.first().map_or(0.0, |bucket| seconds(bucket.second)) - fault_s;
    let mut series = ClientSeries::new(Offset::from_secs(from), 1.0);
    for bucket in &report.buckets {
        let at = Offset::from_secs(seconds(bucket.second) - fault_s + 0.5);
        for _ in 0..bucket.ok {
            series.count(at, true);
        }
        for _ in 0..bucket.errors.values().sum::<usize>() {
            series.count(at, false);
        }
    }
    series
}

#[expect(clippy::cast_precision_loss, reason = "seconds of a drill")]
fn seconds(second: u64) -> f64 {
    second as f64
}

/// Part by part, how the stack was and how it is.
fn compared(before: Option<&StackState>, after: Option<&StackState>) -> Vec<Compared> {
    let (Some(before), Some(after)) = (parts(before), parts(after)) else { return Vec::new() };
    before
        .into_iter()
        .map(|(what, was)| {
            let is = after.get(&what).map_or_else(|| "gone".to_owned(), ToString::to_string);
            Compared { what, before: was.to_string(), after: is }
        })
        .collect()
}

fn parts(state: Option<&StackState>) -> Option<serde_json::Map<String, serde_json::Value>> {
    match serde_json::to_value(state?) {
        Ok(serde_json::Value::Object(parts)) => Some(parts),
        _ => None,
    }
}
