use std::{
    ffi::OsStr,
    fs,
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use serde_json::Value;

use crate::Outcome;

/// A process of this benchmark. It ends with its handle.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: BufReader<ChildStdout>,
}

impl Process {
    /// This same program again, in another role.
    pub(crate) fn again<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Outcome<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(args);
        Self::start(command)
    }

    pub(crate) fn start(mut command: Command) -> Outcome<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
        let stdout = BufReader::new(child.stdout.take().ok_or("no standard output")?);
        Ok(Self { stdin: child.stdin.take(), child, stdout })
    }

    pub(crate) fn say(&mut self, line: &str) -> Outcome {
        let stdin = self.stdin.as_mut().ok_or("its standard input is closed")?;
        writeln!(stdin, "{line}")?;
        Ok(stdin.flush()?)
    }

    pub(crate) fn line(&mut self) -> Outcome<String> {
        let mut line = String::new();
        if self.stdout.read_line(&mut line)? == 0 {
            return Err("a process of the benchmark ended too early".into());
        }
        Ok(line.trim_end().to_owned())
    }

    pub(crate) fn told(&mut self) -> Outcome<Value> {
        Ok(serde_json::from_str(&self.line()?)?)
    }

    /// Closes its standard input, on which it prints what it has to say and ends.
    pub(crate) fn finish(mut self) -> Outcome<Value> {
        drop(self.stdin.take());
        self.told()
    }

    /// Whether it still runs.
    pub(crate) fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// The CPU time that it has used so far, its own and the system's on its behalf, in all its threads.
    pub(crate) fn cpu(&self) -> Outcome<Duration> {
        let mut spent = Duration::ZERO;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // Nanoseconds on a processor, where the kernel keeps them; a thread may have ended in between.
            let Ok(line) = fs::read_to_string(task?.path().join("schedstat")) else { return self.ticks() };
            spent += Duration::from_nanos(line.split(' ').next().unwrap_or_default().parse()?);
        }
        if spent.is_zero() { self.ticks() } else { Ok(spent) }
    }

    /// The same in hundredths of a second.
    fn ticks(&self) -> Outcome<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let fields: Vec<&str> = stat.rsplit_once(") ").ok_or("an unknown /proc/PID/stat")?.1.split(' ').collect();
        let tick = |place: usize| fields.get(place).and_then(|field| field.parse::<u64>().ok()).ok_or("no CPU time");
        Ok(Duration::from_millis((tick(11)? + tick(12)?) * 10))
    }

    /// The memory that it holds, in bytes.
    pub(crate) fn memory(&self) -> Outcome<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS")?;
        let kilobytes: f64 = line.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kilobytes * 1024.0)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
