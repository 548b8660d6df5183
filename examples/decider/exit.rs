use std::process::ExitCode;

use dr_core::error::{Error, ErrorKind};
use dr_lab::config::Unread;

/// How the program ends. The numbers are those of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// It was told to stop.
    Done,
    /// What was asked for makes no sense.
    Usage,
    /// There is no such file.
    Absent,
    /// It cannot go on.
    Failed,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Usage => 64,
            Exit::Absent => 66,
            Exit::Failed => 74,
        })
    }
}

/// Why the program ends otherwise than by being told to.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Stop {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into() }
    }
}

impl From<Unread> for Stop {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Absent(message) => Self { exit: Exit::Absent, message },
            Unread::Wrong(message) => Self { exit: Exit::Usage, message },
        }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let exit = if error.kind() == ErrorKind::Invalid { Exit::Usage } else { Exit::Failed };
        Self { exit, message: error.to_string() }
    }
}
