use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, PoisonError},
};

use dr_core::{
    event::{Event, EventKind, EventSink},
    time::{Monotonic, SharedClock},
};

use super::{bars::Bars, line::line};

/// Where the drill's words go.
#[derive(Debug)]
pub(crate) struct Narrator {
    clock: SharedClock,
    json: bool,
    bars: Option<Mutex<Bars>>,
}

impl Narrator {
    /// Words on standard output, or on standard error when that belongs to `--json`; bars where it is a terminal.
    pub(crate) fn new(clock: SharedClock, json: bool) -> Self {
        let terminal = !json && io::stdout().is_terminal() && io::stderr().is_terminal();
        Self { clock, json, bars: terminal.then(|| Mutex::new(Bars::new())) }
    }

    fn print(&self, text: &str) {
        match &self.bars {
            Some(bars) => bars.lock().unwrap_or_else(PoisonError::into_inner).print(text),
            // Whoever read this is gone: nobody watches, which is no reason to stop a failover.
            None if self.json => {
                let _ = writeln!(io::stderr().lock(), "{text}");
            }
            None => {
                let mut out = io::stdout().lock();
                let _ = writeln!(out, "{text}");
                let _ = out.flush();
            }
        }
    }

    fn at(&self, at: Monotonic, text: &str) {
        self.print(&format!("{:>8.1} s  {text}", at.since_origin().as_secs_f64()));
    }

    /// A new act begins.
    pub(crate) fn act(&self, title: &str) {
        self.print(&format!("\n== {title} =="));
    }

    /// One line, with its moment.
    pub(crate) fn say(&self, who: &str, message: &str) {
        self.at(self.clock.monotonic(), &format!("{who:<10} {message}"));
    }

    /// A block of text as it is.
    pub(crate) fn show(&self, text: &str) {
        self.print(text.trim_end_matches('\n'));
    }

    /// The one object of `--json`.
    pub(crate) fn json(&self, text: &str) {
        if self.json {
            let mut out = io::stdout().lock();
            let _ = writeln!(out, "{text}");
        }
    }

    /// Takes the bars away.
    pub(crate) fn finish(&self) {
        if let Some(bars) = &self.bars {
            bars.lock().unwrap_or_else(PoisonError::into_inner).finish();
        }
    }
}

impl EventSink for Narrator {
    fn emit(&self, event: &Event) {
        if let Some(bars) = &self.bars {
            bars.lock().unwrap_or_else(PoisonError::into_inner).show(&event.kind);
            // What a bar shows need not be a line as well.
            if matches!(event.kind, EventKind::StepStarted { .. } | EventKind::StepProgress { .. }) {
                return;
            }
        }
        self.at(event.monotonic, &line(event));
    }
}
