use std::time::Duration;

use dr_core::{
    engine::{RunView, StepState},
    model::RunId,
    report::MomentKind,
};
use dr_lab::clients::Window;

use crate::{drill::Drill, exit::Stop};

/// How long clients must be served steadily before they count as recovered.
const STEADY: Duration = Duration::from_secs(30);
/// One attempt in so many may fail meanwhile: a busy machine times one out now and then, and clients try again.
const TOLERATED: usize = 20;
/// How long they may take for it after the run has ended.
const PATIENCE: Duration = Duration::from_secs(300);

/// Carries the failover out, and waits until clients are served steadily.
pub(crate) async fn failover(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Failover");
    let run = drill.diary.failover.clone().ok_or_else(|| Stop::stopped("there is no failover to carry out"))?;
    let to = drill.platform.standby()?;
    carry_out(drill, &run).await?;
    drill.writer.send_replace(to.clone());
    served(drill).await?;
    let at = drill.now_s();
    drill.note(
        at,
        MomentKind::Served,
        Some(&to),
        format!("clients are served from {to}, steadily for {} s", STEADY.as_secs()),
    );
    Ok(())
}

/// Carries the failback out, and waits until clients are served steadily.
pub(crate) async fn failback(drill: &mut Drill) -> Result<(), Stop> {
    drill.narrator.act("Failback");
    let run = drill.diary.failback.clone().ok_or_else(|| Stop::stopped("there is no failback to carry out"))?;
    carry_out(drill, &run).await?;
    drill.writer.send_replace(drill.diary.region.clone());
    served(drill).await
}

async fn carry_out(drill: &mut Drill, run: &RunId) -> Result<RunView, Stop> {
    let view = drill.engine.run(run).await?;
    if view.state().is_success() {
        return Ok(view);
    }
    let refused = view.refused().map(|(step, refusal)| format!("{step}: {} ({})", refusal.rule, refusal.why));
    let left = view.effects_left().iter().map(|effect| format!("{} stands: {}", effect.step, effect.why));
    let mut failed: Vec<String> = view
        .failed_for_good()
        .map(|(step, state)| match &state.state {
            StepState::Failed { failure } => format!("{}: {failure}", step.id),
            other => format!("{}: {}", step.id, other.as_str()),
        })
        .collect();
    failed.extend(refused.chain(left));
    Err(Stop::stopped(format!(
        "run {run} is {}: {}; its journal is in {}",
        view.state().as_str(),
        if failed.is_empty() { view.held().unwrap_or("see the events above").to_owned() } else { failed.join("; ") },
        drill.folder.join("journal.sqlite").display(),
    )))
}

/// Waits until every client has been served for a while, with next to no failures.
async fn served(drill: &Drill) -> Result<(), Stop> {
    let deadline = drill.clock.monotonic() + PATIENCE;
    loop {
        drill.clock.sleep(Duration::from_secs(2)).await;
        let report = drill.lab.clients(Window::since(drill.now_s() - STEADY.as_secs_f64())).await?;
        let everybody = report.longest_gap.is_some_and(|gap| gap.seconds() < STEADY.as_secs_f64());
        let failed: usize = report.failures.values().sum();
        let served = report.writes_acked + report.reads_ok;
        if served > 0 && failed * TOLERATED <= served && everybody {
            return Ok(());
        }
        if drill.clock.monotonic() > deadline {
            return Err(Stop::stopped(format!(
                "clients are not served steadily {} s after the run: {:?}",
                PATIENCE.as_secs(),
                report.failures
            )));
        }
    }
}
