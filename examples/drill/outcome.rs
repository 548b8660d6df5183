use dr_core::{
    plan::GoalKind,
    report::{DrillReport, Measured, StepReport},
};
use dr_lab::FaultPreset;
use serde::Serialize;

use crate::{drill::Drill, savings::Savings};

/// What `--json` prints. Times are the world's seconds, whatever the time scale; those of steps count from the fault.
#[derive(Debug, Serialize)]
pub(crate) struct Outcome {
    fault: FaultPreset,
    seed: u64,
    time_scale: f64,
    objectives: Objectives,
    measured: Measured,
    objectives_met: bool,
    restored: bool,
    steps: Vec<Step>,
    run: Option<String>,
    /// What warming the standby on suspicion saved, in the second of two drills.
    #[serde(skip_serializing_if = "Option::is_none")]
    prewarm: Option<Savings>,
    report: String,
}

#[derive(Debug, Serialize)]
struct Objectives {
    rto_s: f64,
    rpo_s: f64,
}

#[derive(Debug, Serialize)]
struct Step {
    id: String,
    phase: &'static str,
    started_s: Option<f64>,
    ended_s: Option<f64>,
    outcome: &'static str,
}

impl Outcome {
    pub(crate) fn of(drill: &Drill, report: &DrillReport, prewarm: Option<Savings>) -> Self {
        Self {
            fault: drill.diary.fault,
            seed: report.seed,
            time_scale: report.time_scale,
            objectives: Objectives {
                rto_s: report.objectives.rto.as_secs_f64(),
                rpo_s: report.objectives.rpo.as_secs_f64(),
            },
            measured: report.measured,
            objectives_met: report.objectives_met(),
            restored: report.restored(),
            steps: report
                .runs
                .iter()
                .filter(|run| run.goal.kind != GoalKind::Prewarm)
                .flat_map(|run| &run.steps)
                .map(step)
                .collect(),
            run: drill.diary.failover.as_ref().map(ToString::to_string),
            prewarm,
            report: drill.folder.join("report.html").display().to_string(),
        }
    }
}

fn step(step: &StepReport) -> Step {
    Step {
        id: step.id.to_string(),
        phase: step.phase.as_str(),
        started_s: step.started.map(dr_core::report::Offset::secs),
        ended_s: step.ended.map(dr_core::report::Offset::secs),
        outcome: step.outcome.as_str(),
    }
}
