use dr_core::event::{Event, EventKind};

/// One event as one plain line; none for what only a bar shows.
pub(super) fn line(event: &Event) -> String {
    match &event.kind {
        EventKind::Verdict { why, .. } => format!("verdict    {why}"),
        EventKind::RunStarted { plan, goal, steps, resumed, epoch } => {
            let verb = if *resumed { "taken up" } else { "started" };
            format!("run        {verb}: plan {}, {goal}, {steps} steps, epoch {epoch}", plan.short())
        }
        EventKind::StepStarted { step, title, attempt, .. } if *attempt > 1 => {
            format!("start      {step} (attempt {attempt}): {title}")
        }
        EventKind::StepStarted { step, title, .. } => format!("start      {step}: {title}"),
        EventKind::StepProgress { step, message } => format!("           {step}: {message}"),
        EventKind::StepCompleted { step, took, already } => {
            let how = if *already { " (was there already)" } else { "" };
            format!("done       {step} in {:.1} s{how}", took.as_secs_f64())
        }
        EventKind::StepFailed { step, attempt, failure, retry_in } => {
            let next =
                retry_in.map_or_else(|| "not tried again".to_owned(), |d| format!("again in {:.1} s", d.as_secs_f64()));
            format!("FAILED     {step} (attempt {attempt}, {next}): {failure}")
        }
        EventKind::StepSkipped { step, reason } => format!("skipped    {step}: {reason}"),
        EventKind::StepCompensated { step } => format!("taken back {step}"),
        EventKind::ModeSwitched { step, who, why } => {
            let what = step.as_ref().map_or("the run", |step| step.as_str());
            format!("ungraceful {what}, says {who}: {why}")
        }
        EventKind::ApprovalRequested { step, question } => format!("approval   asked before {step}: {question}"),
        EventKind::ApprovalDecided { decision, who } => format!("approval   {decision:?} by {who}"),
        EventKind::Health { health, why } if why.is_empty() => format!("health     {health}"),
        EventKind::Health { health, why } => format!("health     {health}: {why}"),
        EventKind::RunPaused { reason } => format!("PAUSED     {reason}"),
        EventKind::RunResumed { who } => format!("run        goes on, says {who}"),
        EventKind::RunHeld { reason } => format!("HELD       {reason}"),
        EventKind::RunEnded { summary, .. } => format!("run        ended: {summary}"),
        EventKind::Said { who, message } => format!("{who:<10} {message}"),
        other => format!("{other:?}"),
    }
}
