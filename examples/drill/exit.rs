use std::process::ExitCode;

use dr_core::error::{Error, ErrorKind};

/// How the program ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything happened and the objectives were met.
    Met,
    /// Everything happened and an objective was missed.
    Missed,
    /// The run was held, paused or failed, or ended dirty, or the stack was not restored.
    Stopped,
    /// What was asked for makes no sense.
    Usage,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Met => 0,
            Self::Missed => 2,
            Self::Stopped => 3,
            Self::Usage => 64,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// Why a drill ended before its end.
#[derive(Debug)]
pub(crate) struct Stop {
    pub(crate) exit: Exit,
    pub(crate) message: String,
}

impl Stop {
    /// The caller asked for what cannot be had.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self { exit: Exit::Usage, message: message.into() }
    }

    /// The drill cannot go on.
    pub(crate) fn stopped(message: impl Into<String>) -> Self {
        Self { exit: Exit::Stopped, message: message.into() }
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let exit = if error.kind() == ErrorKind::Invalid { Exit::Usage } else { Exit::Stopped };
        Self { exit, message: error.to_string() }
    }
}
