use std::{collections::BTreeMap, time::Duration};

use dr_core::{event::EventKind, model::StepId};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// A bar for each step under way, and one for the run.
#[derive(Debug)]
pub(super) struct Bars {
    all: MultiProgress,
    run: Option<ProgressBar>,
    steps: BTreeMap<StepId, ProgressBar>,
}

impl Bars {
    pub(super) fn new() -> Self {
        Self { all: MultiProgress::new(), run: None, steps: BTreeMap::new() }
    }

    /// A line above the bars.
    pub(super) fn print(&self, text: &str) {
        // A terminal that is gone: nobody watches, which is no reason to stop.
        let _ = self.all.println(text);
    }

    pub(super) fn show(&mut self, kind: &EventKind) {
        match kind {
            EventKind::RunStarted { steps, .. } => {
                let bar = self.all.add(ProgressBar::new(u64::try_from(*steps).unwrap_or(u64::MAX)));
                bar.set_style(style("  [{bar:30}] {pos}/{len} steps"));
                self.run = Some(bar);
            }
            EventKind::StepStarted { step, title, .. } => {
                let bar = self.all.add(ProgressBar::new_spinner());
                bar.set_style(style("  {spinner} {prefix}: {msg}"));
                bar.set_prefix(step.to_string());
                bar.set_message(title.clone());
                bar.enable_steady_tick(Duration::from_millis(120));
                if let Some(old) = self.steps.insert(step.clone(), bar) {
                    old.finish_and_clear();
                }
            }
            EventKind::StepProgress { step, message } => {
                if let Some(bar) = self.steps.get(step) {
                    bar.set_message(message.clone());
                }
            }
            EventKind::StepCompleted { step, .. } | EventKind::StepSkipped { step, .. } => {
                self.clear(step);
                if let Some(run) = &self.run {
                    run.inc(1);
                }
            }
            EventKind::StepFailed { step, .. } => self.clear(step),
            EventKind::RunEnded { .. } | EventKind::RunHeld { .. } | EventKind::RunPaused { .. } => self.finish(),
            _ => {}
        }
    }

    fn clear(&mut self, step: &StepId) {
        if let Some(bar) = self.steps.remove(step) {
            bar.finish_and_clear();
        }
    }

    pub(super) fn finish(&mut self) {
        for (_, bar) in std::mem::take(&mut self.steps) {
            bar.finish_and_clear();
        }
        if let Some(run) = self.run.take() {
            run.finish_and_clear();
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    // The templates are literals; should one be wrong, the default style shows the same numbers.
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
