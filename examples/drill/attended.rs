use std::{path::PathBuf, sync::Arc};

use dr_core::event::{Event, EventKind, EventSink};

use crate::narrate::Narrator;

/// Tells whoever watches an attended drill what to type in another terminal when a run waits for a decision.
#[derive(Debug)]
pub(crate) struct Attended {
    narrator: Arc<Narrator>,
    journal: PathBuf,
}

impl Attended {
    pub(crate) fn new(narrator: Arc<Narrator>, journal: PathBuf) -> Self {
        Self { narrator, journal }
    }

    fn hint(&self, event: &Event, what: &str) {
        let run = event.run.as_ref().map_or("", |run| run.as_str());
        let journal = self.journal.display();
        self.narrator.show(&format!(
            "           the run waits; in another terminal: cargo run --bin runs -- --journal {journal} {what}\n           \
             or `show {run}` for how it stands"
        ));
    }
}

impl EventSink for Attended {
    fn emit(&self, event: &Event) {
        let run = event.run.as_ref().map_or("", |run| run.as_str());
        match &event.kind {
            EventKind::ApprovalRequested { .. } => self.hint(event, &format!("approve {run} --who NAME")),
            EventKind::RunPaused { .. } => {
                self.hint(
                    event,
                    &format!("resume {run}, retry {run} --step STEP, skip {run} --step STEP or cancel {run}"),
                );
            }
            _ => {}
        }
    }
}
