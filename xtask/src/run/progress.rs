use std::{
    io::{IsTerminal as _, Write as _},
    sync::mpsc::Sender,
    time::Duration,
};

use super::{Stopwatch, human};

/// How often a run without a terminal says that it is alive.
const HEARTBEAT: Duration = Duration::from_secs(60);

/// The line that shows what a stage is doing: rewritten in place on a terminal, a heartbeat a minute elsewhere.
#[derive(Debug)]
pub(crate) struct Progress {
    title: &'static str,
    terminal: bool,
    width: usize,
    started: Stopwatch,
    beats: u32,
    latest: String,
    /// Who is told instead of the terminal.
    told: Option<Sender<String>>,
}

impl Progress {
    /// A line for the stage called `title`.
    pub(crate) fn new(title: &'static str) -> Self {
        let width = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok()).unwrap_or(100);
        Self {
            title,
            terminal: std::io::stdout().is_terminal(),
            width,
            started: Stopwatch::start(),
            beats: 0,
            latest: String::new(),
            told: None,
        }
    }

    /// A line that is not shown: who holds the other end of the channel hears what is being done.
    pub(crate) fn told_to(title: &'static str, told: Sender<String>) -> Self {
        Self { told: Some(told), ..Self::new(title) }
    }

    /// The time since the stage began.
    pub(crate) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Notes what is being done now.
    pub(crate) fn say(&mut self, line: &str) {
        let line = line.trim();
        if line.is_empty() {
            return;
        }
        line.clone_into(&mut self.latest);
        if let Some(told) = &self.told {
            // Nobody listens any more when another stage has failed.
            let _ = told.send(line.to_owned());
        }
        self.tick();
    }

    /// Shows the present state, if it is time to.
    pub(crate) fn tick(&mut self) {
        let elapsed = self.elapsed();
        if self.told.is_some() {
            return;
        }
        if self.terminal {
            let line = format!("  {:<10} {:>12}  {}", self.title, human(elapsed), self.latest);
            let line: String = line.chars().filter(|c| !c.is_control()).take(self.width.saturating_sub(1)).collect();
            print!("\r\x1b[K{line}");
            // A terminal that went away must not stop the run.
            let _ = std::io::stdout().flush();
        } else if elapsed >= HEARTBEAT * (self.beats + 1) {
            self.beats += 1;
            println!("  {:<10} {:>12}  … {}", self.title, human(elapsed), self.latest);
        }
    }

    /// Takes the line away and prints the stage's result in its place.
    pub(crate) fn finish(self, result: &str) {
        if self.terminal {
            print!("\r\x1b[K");
        }
        println!("  {:<10} {:>12}  {result}", self.title, human(self.elapsed()));
    }
}
