use std::process::ExitCode;

use dr_core::error::{Error, ErrorKind};
use dr_lab::config::Unread;

/// How the program ends. The numbers from 64 on are those of `sysexits.h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked for happened.
    Done,
    /// The records are not what was written.
    Altered,
    /// The run is in no state for it.
    Refused,
    /// What was asked for makes no sense.
    Usage,
    /// There is no such journal or run.
    Absent,
    /// The journal failed.
    Failed,
    /// Nobody answered in time.
    Unanswered,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Altered => 2,
            Exit::Refused => 3,
            Exit::Usage => 64,
            Exit::Absent => 66,
            Exit::Failed => 74,
            Exit::Unanswered => 75,
        })
    }
}

/// Why the program ends without having done what it was asked for.
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
        let exit = match error.kind() {
            ErrorKind::Corrupt => Exit::Altered,
            ErrorKind::NotFound => Exit::Absent,
            ErrorKind::Invalid => Exit::Usage,
            ErrorKind::Timeout => Exit::Unanswered,
            ErrorKind::PreconditionFailed | ErrorKind::Conflict => Exit::Refused,
            _ => Exit::Failed,
        };
        Self { exit, message: error.to_string() }
    }
}
