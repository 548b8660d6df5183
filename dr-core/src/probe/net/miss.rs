use std::io;

use crate::{
    error::{Effect, Error, ErrorKind, Result},
    probe::{Latency, Reading},
};

/// Why a look gave no healthy reading.
#[derive(Debug)]
pub(super) enum Miss {
    /// The target failed: in a person's words.
    Failed(String),
    /// The machine that looks failed: nothing was learned of the target.
    Blind(Error),
}

impl Miss {
    pub(super) fn failed(reason: impl Into<String>) -> Self {
        Self::Failed(reason.into())
    }

    /// What a failed system call says: of the target, or of this machine.
    pub(super) fn from_io(doing: &str, error: io::Error) -> Self {
        if is_local(&error) {
            let message = format!("{doing}: {error}");
            return Self::Blind(
                Error::new(ErrorKind::Internal, message).with_effect(Effect::NotApplied).with_source(error),
            );
        }
        Self::Failed(match error.kind() {
            io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
            io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
            io::ErrorKind::TimedOut => format!("{doing} timed out"),
            io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
            io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
            _ => format!("{doing} failed: {error}"),
        })
    }
}

/// What a probe gives, when this is what its look came to: what was well, in words, or why it was not.
pub(super) fn reading(seen: std::result::Result<String, Miss>, latency: Latency) -> Result<Reading> {
    match seen {
        Ok(said) => Ok(Reading::healthy(latency, said)),
        Err(Miss::Failed(reason)) => Ok(Reading::unhealthy(latency, reason)),
        Err(Miss::Blind(error)) => Err(error),
    }
}

/// Whether the fault lies with this machine: out of descriptors, ports or memory, or not allowed to.
///
/// "Network unreachable" is not counted: it is also what a region says whose routes were withdrawn. An observer without
/// a route of its own cannot reach its control target either, and loses its vote by that.
fn is_local(error: &io::Error) -> bool {
    /// `ENFILE` and `EMFILE` on every Unix, and `ENOBUFS` on Linux; the standard library has no kind for them.
    const OUT_OF_RESOURCES: [i32; 3] = [23, 24, 105];
    matches!(
        error.kind(),
        io::ErrorKind::AddrInUse
            | io::ErrorKind::AddrNotAvailable
            | io::ErrorKind::PermissionDenied
            | io::ErrorKind::OutOfMemory
    ) || error.raw_os_error().is_some_and(|code| OUT_OF_RESOURCES.contains(&code))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_of_this_machine_is_not_held_against_the_target() {
        for code in [23, 24] {
            let miss = Miss::from_io("connect", io::Error::from_raw_os_error(code));
            assert!(matches!(miss, Miss::Blind(_)), "{miss:?}");
        }
        let miss = Miss::from_io("connect", io::ErrorKind::AddrNotAvailable.into());
        assert!(matches!(miss, Miss::Blind(_)), "{miss:?}");
        let miss = Miss::from_io("connect", io::ErrorKind::ConnectionRefused.into());
        assert!(matches!(&miss, Miss::Failed(reason) if reason == "connection refused"), "{miss:?}");
    }
}
