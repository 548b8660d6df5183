//! The drill, the lab and other people's programs as a user runs them: processes, with their lines as they come.

use std::{
    ffi::OsStr,
    io::{BufRead as _, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use dr_core::time::{Clock as _, SystemClock, timeout};
use dr_lab::LabClient;
use tokio::sync::{
    Mutex, MutexGuard,
    mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// How long anything is waited for, in this machine's time. Nothing should ever take so long: it only ends what hangs.
const LIMIT: Duration = Duration::from_secs(600);
/// How many of the lab's seconds pass in one of this machine's. At 20, a pause of 200 ms on a busy machine is the 4 s after
/// which a probe gives up.
pub(crate) const TIME_SCALE: &str = "12";

pub(crate) const DECIDER: &str = env!("CARGO_BIN_EXE_decider");
pub(crate) const DRILL: &str = env!("CARGO_BIN_EXE_drill");
pub(crate) const OBSERVER: &str = env!("CARGO_BIN_EXE_observer");
pub(crate) const RUNS: &str = env!("CARGO_BIN_EXE_runs");
const LAB: &str = env!("CARGO_BIN_EXE_lab");
/// The platform's description, as it stands in the repository.
pub(crate) const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/ecommerce.dr.yaml");

/// One whole drill after the other: two at a time would starve each other's clients and measure that.
static TURN: Mutex<()> = Mutex::const_new(());

/// Waits for the turn of a whole drill, which lasts as long as what is returned.
pub(crate) async fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().await
}

#[derive(Debug)]
enum Line {
    Out(String),
    Err(String),
}

/// A program under way, killed at the latest when this is dropped.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    lines: UnboundedReceiver<Line>,
    out: String,
    err: String,
}

/// What a program left behind. The code is none where a signal ended it.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ended {
    /// Everything that it printed, for a failed assertion.
    pub(crate) fn shown(&self) -> String {
        format!("exit {:?}\n{}{}", self.code, self.out, self.err)
    }
}

impl Program {
    /// Starts a program without a terminal and without anything to read.
    pub(crate) fn start(program: impl AsRef<OsStr>, arguments: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null());
        Self::spawn(command)
    }

    /// Starts a program that was prepared elsewhere, its standard input included.
    pub(crate) fn spawn(mut command: Command) -> Self {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (sender, lines) = unbounded_channel();
        forward(child.stdout.take().unwrap(), sender.clone(), Line::Out);
        forward(child.stderr.take().unwrap(), sender, Line::Err);
        Self { child, lines, out: String::new(), err: String::new() }
    }

    /// The next line of either kind; none once the program has closed both.
    async fn next(&mut self) -> Option<String> {
        let next = timeout(&SystemClock::new(), LIMIT, self.lines.recv()).await;
        let Ok(next) = next else { panic!("nothing came for {LIMIT:?} after:\n{}{}", self.out, self.err) };
        let (kept, line) = match next? {
            Line::Out(line) => (&mut self.out, line),
            Line::Err(line) => (&mut self.err, line),
        };
        kept.push_str(&line);
        kept.push('\n');
        Some(line)
    }

    /// Waits for the next line that contains this.
    pub(crate) async fn says(&mut self, what: &str) {
        assert!(self.comes_to_say(what).await, "it ended without {what:?}:\n{}{}", self.out, self.err);
    }

    /// Waits for the next line that contains this; false when it ends without.
    pub(crate) async fn comes_to_say(&mut self, what: &str) -> bool {
        while let Some(line) = self.next().await {
            if line.contains(what) {
                return true;
            }
        }
        false
    }

    /// Expects it to be under way still; tells everything that it has said when it is not.
    pub(crate) fn goes_on(&mut self) {
        while let Ok(line) = self.lines.try_recv() {
            let (kept, line) = match line {
                Line::Out(line) => (&mut self.out, line),
                Line::Err(line) => (&mut self.err, line),
            };
            kept.push_str(&line);
            kept.push('\n');
        }
        let ended = self.child.try_wait().unwrap();
        assert!(ended.is_none(), "it ended with {ended:?}:\n{}{}", self.out, self.err);
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let id = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(id, signal).unwrap();
    }

    /// Kills it on the spot (`SIGKILL`), and tells what it had said.
    pub(crate) async fn kill(mut self) -> Ended {
        self.child.kill().unwrap();
        self.end().await
    }

    /// Ends its standard input, if that is a pipe.
    pub(crate) fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    /// Waits until it has ended.
    pub(crate) async fn end(mut self) -> Ended {
        while self.next().await.is_some() {}
        let machine = SystemClock::new();
        let deadline = machine.monotonic() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                let (out, err) = (std::mem::take(&mut self.out), std::mem::take(&mut self.err));
                return Ended { code: status.code(), out, err };
            }
            assert!(machine.monotonic() < deadline, "it says nothing more and does not end:\n{}{}", self.out, self.err);
            machine.sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // One that has ended already cannot be killed, which is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn forward(stream: impl Read + Send + 'static, to: UnboundedSender<Line>, kind: fn(String) -> Line) {
    thread::spawn(move || {
        for line in BufReader::new(stream).lines() {
            let Ok(line) = line else { return };
            if to.send(kind(line)).is_err() {
                return;
            }
        }
    });
}

/// A lab in a process of its own.
#[derive(Debug)]
pub(crate) struct StandingLab {
    pub(crate) env_file: PathBuf,
    _program: Program,
}

impl StandingLab {
    /// Stands one up, with its files in a folder.
    pub(crate) async fn in_folder(folder: &Path) -> Self {
        Self::at_scale(folder, TIME_SCALE).await
    }

    /// Stands one up whose time goes so many times as fast as this machine's.
    pub(crate) async fn at_scale(folder: &Path, scale: &str) -> Self {
        let env_file = folder.join("lab.env");
        let file = env_file.to_str().unwrap();
        let mut program = Program::start(LAB, &["--env-file", file, "--time-scale", scale, "--seed", "5"]);
        program.says("Ctrl-C ends it.").await;
        Self { env_file, _program: program }
    }

    /// The env file, as an argument.
    pub(crate) fn argument(&self) -> &str {
        self.env_file.to_str().unwrap()
    }

    pub(crate) async fn client(&self) -> LabClient {
        LabClient::from_env_file(&self.env_file).await.unwrap()
    }
}
