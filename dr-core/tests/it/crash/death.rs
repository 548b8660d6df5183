//! Where and how a process dies.

use serde::{Deserialize, Serialize};

/// What a power loss leaves of a transaction that was written and not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Loss {
    /// Nothing of it reached the disk.
    All,
    /// The first half of its bytes did.
    SecondHalf,
    /// All of it did, but for the first page: a disk writes in any order.
    FirstPage,
}

/// The moment of a write to the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Moment {
    /// Nothing was written.
    Before,
    /// The kernel ends the process in the middle of the write, after this many bytes of it.
    Torn(u64),
    /// It was written and not synced, and the machine loses power; this is what the disk then lacks.
    Written(Loss),
    /// It was synced, and nobody was told.
    Synced,
}

impl Moment {
    /// All that are tried. A frame of SQLite's log is a header of 24 bytes and a page of 4096.
    pub(super) const ALL: [Self; 10] = [
        Self::Before,
        Self::Torn(0),
        Self::Torn(10),
        Self::Torn(24 + 2048),
        Self::Torn(24 + 4096),
        Self::Torn(24 + 4096 + 1000),
        Self::Written(Loss::All),
        Self::Written(Loss::SecondHalf),
        Self::Written(Loss::FirstPage),
        Self::Synced,
    ];
}

/// Where a process dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Death {
    /// At its `n`th write to the journal, counted from 1: a lease taken, renewed or given back, or records appended.
    Write(u32, Moment),
    /// At its `n`th call that changes the world, before the world heard it.
    BeforeCall(u32),
    /// At that call, when the world has changed and nobody was told.
    AfterCall(u32),
}

impl Death {
    /// Every death of a process that makes so many writes and calls.
    pub(super) fn all(writes: u32, calls: u32) -> Vec<Self> {
        let at_writes = (1..=writes).flat_map(|n| Moment::ALL.map(|moment| Self::Write(n, moment)));
        let at_calls = (1..=calls).flat_map(|n| [Self::BeforeCall(n), Self::AfterCall(n)]);
        at_writes.chain(at_calls).collect()
    }
}

/// Ends this process as `kill -9` does: nothing is flushed, closed or dropped.
pub(super) fn die() -> ! {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    loop {
        std::thread::park();
    }
}
