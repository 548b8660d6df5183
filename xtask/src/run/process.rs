use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader, Read, Write as _},
    path::Path,
    process::{Child, Command, Stdio},
    sync::mpsc::{self, RecvTimeoutError, Sender},
    thread,
    time::Duration,
};

use super::{Failure, Halt, Progress, halt::kill_all};

/// A program that ended.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it said that all went well.
    pub(crate) success: bool,
    /// What it printed, on both streams, in the order of arrival.
    pub(crate) lines: Vec<String>,
}

impl Finished {
    /// The finished program, or a failure that shows what it printed.
    ///
    /// Lines that only say what was compiled are left out; the log has them.
    ///
    /// # Errors
    ///
    /// When the program failed.
    pub(crate) fn or_fail(self, message: impl Into<String>) -> Result<Self, Failure> {
        if self.success {
            return Ok(self);
        }
        Err(Failure::new(message).with_output(self.lines.into_iter().filter(|line| !is_build_chatter(line))))
    }
}

/// Whether cargo only says what it is building or fetching.
fn is_build_chatter(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let first = words.next().unwrap_or_default();
    line.starts_with("  ")
        && matches!(
            first,
            "Compiling"
                | "Checking"
                | "Downloaded"
                | "Downloading"
                | "Locking"
                | "Updating"
                | "Documenting"
                | "Blocking"
        )
}

/// Runs `command`, shows its latest line through `progress`, and keeps all it prints in `log` as well. It is killed, with all
/// that it has started, when `halt` is called.
///
/// # Errors
///
/// When the program cannot be started or the log cannot be written. A program that ran and failed is a
/// [`Finished`] with `success: false`.
pub(crate) fn watch(
    command: &mut Command,
    progress: &mut Progress,
    log: &Path,
    halt: &Halt,
) -> Result<Finished, Failure> {
    let mut log_file = append_to(log)?;
    let shown = shown(command);
    let cannot_log = |error| Failure::new(format!("cannot write {}: {error}", log.display()));
    writeln!(log_file, "$ {shown}").map_err(cannot_log)?;

    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| Failure::new(format!("cannot start `{shown}`: {error}")))?;
    let incoming = lines_of(&mut child);
    let lost = |error| Failure::new(format!("lost `{shown}`: {error}"));
    let mut lines = Vec::new();
    loop {
        if halt.called() {
            kill_all(&mut child);
            break;
        }
        match incoming.recv_timeout(Duration::from_secs(1)) {
            Ok(line) => {
                writeln!(log_file, "{line}").map_err(cannot_log)?;
                progress.say(&line);
                lines.push(line);
            }
            // A program may leave a child behind that holds the stream open: its own end is enough.
            Err(RecvTimeoutError::Timeout) if child.try_wait().map_err(lost)?.is_some() => break,
            Err(RecvTimeoutError::Timeout) => progress.tick(),
            Err(RecvTimeoutError::Disconnected) => break,
        }
    }
    let status = child.wait().map_err(lost)?;
    Ok(Finished { success: status.success(), lines })
}

/// Runs `command` with this program's own streams.
///
/// # Errors
///
/// When it cannot be started, or fails: then with `message`.
pub(crate) fn pass_on(command: &mut Command, message: &str) -> Result<(), Failure> {
    let shown = shown(command);
    let status = command.status().map_err(|error| Failure::new(format!("cannot start `{shown}`: {error}")))?;
    if status.success() { Ok(()) } else { Err(Failure::new(message)) }
}

/// Runs `command` and returns what it printed on standard output.
///
/// # Errors
///
/// When it cannot be started, fails (with its standard error), or does not print UTF-8.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let shown = shown(command);
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|error| Failure::new(format!("cannot start `{shown}`: {error}")))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).lines().map(str::to_owned).collect::<Vec<_>>();
        return Err(Failure::new(format!("`{shown}` failed")).with_output(said));
    }
    String::from_utf8(output.stdout).map_err(|_| Failure::new(format!("`{shown}` did not print UTF-8")))
}

fn append_to(log: &Path) -> Result<File, Failure> {
    let open = || {
        if let Some(folder) = log.parent() {
            fs::create_dir_all(folder)?;
        }
        File::options().create(true).append(true).open(log)
    };
    open().map_err(|error| Failure::new(format!("cannot open {}: {error}", log.display())))
}

/// The lines of both streams; the channel closes when the program has closed both.
fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    if let Some(stdout) = child.stdout.take() {
        forward(stdout, sender.clone());
    }
    if let Some(stderr) = child.stderr.take() {
        forward(stderr, sender);
    }
    receiver
}

fn forward(stream: impl Read + Send + 'static, to: Sender<String>) {
    thread::spawn(move || {
        for line in BufReader::new(stream).split(b'\n') {
            let Ok(line) = line else { break };
            if to.send(String::from_utf8_lossy(&line).trim_end().to_owned()).is_err() {
                break;
            }
        }
    });
}

fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn build_chatter_is_told_from_what_matters() {
        assert!(is_build_chatter("   Compiling ring v0.17.14"));
        assert!(is_build_chatter("    Checking dr-core v0.1.0 (somewhere)"));
        assert!(!is_build_chatter("error[E0425]: cannot find value `x` in this scope"));
        assert!(!is_build_chatter("     Summary [   0.012s] 4 tests run: 4 passed, 0 skipped"));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_halted_takes_with_it_what_it_has_started() {
        let halt = Halt::default();
        let (heard, lines) = mpsc::channel();
        let log = std::env::temp_dir().join(format!("xtask-halt-{}.log", std::process::id()));
        let watcher = thread::spawn({
            let (halt, log) = (halt.clone(), log.clone());
            move || {
                let mut command = Command::new("sh");
                command.args(["-c", "sleep 600 & echo $!; wait"]);
                watch(&mut command, &mut Progress::told_to("test", heard), &log, &halt)
            }
        });
        let started = lines.recv().unwrap();
        let runs = || {
            let stat = fs::read_to_string(format!("/proc/{started}/stat")).unwrap_or_default();
            // One that was killed and that nobody has collected yet is a zombie.
            stat.rsplit_once(')').is_some_and(|(_, rest)| !rest.starts_with(" Z"))
        };
        assert!(runs());
        halt.call();
        assert!(!watcher.join().unwrap().unwrap().success);
        fs::remove_file(log).unwrap();
        while runs() {
            thread::yield_now();
        }
    }

    #[test]
    fn a_failure_shows_what_the_program_printed() {
        let finished = Finished { success: false, lines: vec!["   Compiling a v1".into(), "error: no".into()] };
        let shown = finished.or_fail("it failed").unwrap_err().to_string();
        assert_eq!(shown, "error: no\nerror: it failed\n");
    }
}
