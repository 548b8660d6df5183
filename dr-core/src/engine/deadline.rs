use std::time::Duration;

use super::{Command, RunView};
use crate::{plan::Group, time::Timestamp};

/// The next moment at which time is up, for the whole run or for a group.
pub(super) fn next(view: &RunView) -> Timestamp {
    let whole = view.created() + view.plan().deadline();
    running(view).map(|(_, _, ends)| ends).chain([whole]).min().unwrap_or(whole)
}

/// The groups whose time is up, to be written down: the run waits until somebody gives them more, skips them or cancels.
/// What is under way ends, as after a failure.
pub(super) fn late(view: &RunView, now: Timestamp) -> Vec<Command> {
    let over = running(view).filter(|(_, _, ends)| *ends <= now);
    over.map(|(group, limit, _)| {
        let open: Vec<&str> = view
            .members(group.id.as_str())
            .filter(|(_, step)| !step.settled())
            .map(|(step, _)| step.id.as_str())
            .collect();
        let reason = format!("{} was not done within {limit:?}; not done: {}", group.id, open.join(", "));
        Command::Pause { step: group.id.clone(), reason }
    })
    .collect()
}

/// The groups with a deadline that have begun, have not ended and are not known to be late: each with its limit and end.
fn running(view: &RunView) -> impl Iterator<Item = (&Group, Duration, Timestamp)> {
    view.group_clocks().filter(|(_, clock)| clock.open > 0 && !clock.late).filter_map(|(group, clock)| {
        let limit = group.deadline?;
        Some((group, limit, clock.started? + limit))
    })
}
